namespace Flotta.Agent.Workloads;

/// <summary>One thing to do. Steps are data: they are logged, printed and compared.</summary>
internal abstract record Step
{
    public sealed record Keep(string Why) : Step
    {
        public override string ToString() => $"keep: {Why}";
    }

    public sealed record Wait(TimeSpan Until, string Why) : Step
    {
        public override string ToString() => $"wait: {Why}";
    }

    public sealed record Pull(ImageNeed Image) : Step
    {
        public override string ToString() => $"pull {Image.Reference} ({Image.Policy})";
    }

    /// <summary>Make the new pod under another name and remove it: what podman will not accept shall not cost the old pod its life.</summary>
    public sealed record Rehearse(string OldPodId) : Step
    {
        public override string ToString() => "rehearse";
    }

    public sealed record Stop(string PodId, int GraceSeconds, string Why) : Step
    {
        public override string ToString() => $"stop: {Why}";
    }

    public sealed record Remove(string PodId, string PodName) : Step
    {
        public override string ToString() => $"remove {PodName}";
    }

    public sealed record Create(string Hash) : Step
    {
        public override string ToString() => $"create {Hash[..Math.Min(12, Hash.Length)]}";
    }

    /// <summary>The version has run on for long enough: from now on it is the one to go back to.</summary>
    public sealed record Prove(string Hash) : Step
    {
        public override string ToString() => $"proven {Hash[..Math.Min(12, Hash.Length)]}";
    }

    /// <summary>The version did not prove itself: the last good one takes its place again.</summary>
    public sealed record TakeBack(string PodId, int GraceSeconds, string Why) : Step
    {
        public override string ToString() => $"take back: {Why}";
    }

    /// <summary>Its probe fails: it ends, and its restart policy says what follows.</summary>
    public sealed record StopContainer(string ContainerId, int GraceSeconds, string Why) : Step
    {
        public override string ToString() => $"stop container: {Why}";
    }

    /// <param name="PodId">Null: the one that was just created.</param>
    /// <param name="Containers">Only these; none means the whole pod.</param>
    public sealed record Start(string? PodId, IReadOnlyList<string> Containers, bool Again, string Why) : Step
    {
        public bool Equals(Start? other) =>
            other is not null && PodId == other.PodId && Again == other.Again && Why == other.Why && Containers.SequenceEqual(other.Containers, StringComparer.Ordinal);

        public override int GetHashCode() => HashCode.Combine(PodId, Again, Why, Containers.Count);

        public override string ToString() => $"start: {Why}";
    }
}
