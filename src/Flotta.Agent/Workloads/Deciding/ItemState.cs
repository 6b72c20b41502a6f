namespace Flotta.Agent.Workloads;

/// <summary>What is remembered of one workload from one look at podman to the next. Times are those of a clock that never jumps.</summary>
internal sealed record ItemState
{
    /// <summary>Running this long wipes out the restarts of before.</summary>
    private static readonly TimeSpan LongRun = TimeSpan.FromMinutes(10);

    /// <summary>Running this long after a restart counts as recovered.</summary>
    public static readonly TimeSpan Settled = TimeSpan.FromSeconds(30);

    public static ItemState Fresh { get; } = new();

    /// <summary>The manifest that <see cref="Failures"/> is about; another one starts from zero.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>How often pulling, creating or starting failed in a row.</summary>
    public int Failures { get; init; }

    public TimeSpan NotBefore { get; init; }

    public string? Reason { get; init; }

    public string? Message { get; init; }

    /// <summary>How often it was started again because it had ended.</summary>
    public int Restarts { get; init; }

    public double Jitter { get; init; }

    public TimeSpan? UpSince { get; init; }

    public TimeSpan? DownSince { get; init; }

    /// <summary>Hash of the version that has proven itself, and that an update which does not gives way to.</summary>
    public string? Good { get; init; }

    /// <summary>How often the manifest of <see cref="Fingerprint"/> was taken back.</summary>
    public int TakenBack { get; init; }

    /// <summary>Since when podman has the version of <see cref="TrialHash"/>.</summary>
    public TimeSpan? TrialSince { get; init; }

    public string? TrialHash { get; init; }

    /// <summary>The failure that people have been told of.</summary>
    public string? Announced { get; init; }

    public bool FailedAt(PodManifest manifest) => Failures > 0 && Fingerprint == manifest.Fingerprint;

    public TimeSpan RestartAt => (DownSince ?? TimeSpan.Zero) + Backoff.After(Restarts, Jitter);

    /// <summary>It ended at least twice in a short time.</summary>
    public bool Unsettled(TimeSpan now) => Restarts > 1 && (UpSince is not { } since || now - since < Settled);

    public ItemState Seen(ActualPod? pod, TimeSpan now)
    {
        var state = pod is null || pod.Hash == TrialHash ? this : this with { TrialHash = pod.Hash, TrialSince = now, UpSince = null };
        return state.SeenUp(pod, now);
    }

    private ItemState SeenUp(ActualPod? pod, TimeSpan now)
    {
        if (pod is { Containers: var containers } && containers.All(container => container.Up || container.EndedWell(pod.RestartPolicy)))
            return this with { UpSince = UpSince ?? now, DownSince = null };
        var ranLong = UpSince is { } since && now - since >= LongRun;
        return this with { UpSince = null, DownSince = pod is null || pod.Containers.All(container => container.Running) ? null : DownSince ?? now, Restarts = ranLong ? 0 : Restarts };
    }

    public ItemState Failed(string fingerprint, string reason, string message, TimeSpan atLeast, TimeSpan now, double jitter)
    {
        var same = Fingerprint == fingerprint;
        var failures = same ? Failures + 1 : 1;
        var delay = Backoff.After(failures, jitter);
        if (reason == Reasons.PortInUse && delay > Backoff.LongestForPorts)
            delay = Backoff.LongestForPorts;
        return this with
        {
            Fingerprint = fingerprint,
            Failures = failures,
            TakenBack = same ? TakenBack : 0,
            NotBefore = now + (delay > atLeast ? delay : atLeast),
            Reason = reason,
            Message = message,
        };
    }

    public ItemState Succeeded() => this with { Failures = 0, NotBefore = TimeSpan.Zero, Reason = null, Message = null };
}
