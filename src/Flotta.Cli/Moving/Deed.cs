namespace Flotta.Cli.Moving;

internal enum Act
{
    Nothing,
    Create,

    /// <summary>It was created, and something of it is not written yet.</summary>
    Complete,

    /// <summary>The other side has it, and it says something else: theirs stays.</summary>
    Differs,

    /// <summary>An earlier run created it, and somebody deleted it there since.</summary>
    Gone,
}

/// <summary>What is to be done with one object.</summary>
internal sealed record Deed(Act Act, string Why = "")
{
    /// <param name="here">The object that moves.</param>
    /// <param name="there">The one of its name on the other side, if any.</param>
    /// <param name="made">An earlier run has written it there.</param>
    public static Deed For(Fingerprint here, Fingerprint? there, bool made)
    {
        if (there is null)
            return made ? new(Act.Gone, "was deleted there after it had been copied") : new(Act.Create);
        if (here.Body != there.Body)
            return new(Act.Differs, made ? "was changed there after it had been copied" : "is another one there");
        if (there.Status.Length > 0 && here.Status != there.Status)
            return new(Act.Differs, "has another status there");
        if (there.Owners.Count > 0 && !here.Owners.SequenceEqual(there.Owners))
            return new(Act.Differs, "has other owners there");
        if (there.Deleting && !here.Deleting)
            return new(Act.Differs, "is being deleted there");
        return here.Status == there.Status && here.Owners.SequenceEqual(there.Owners) && here.Deleting == there.Deleting ? new(Act.Nothing) : new(Act.Complete);
    }
}
