namespace Flotta.Agent.Enrolment;

/// <summary>When to ask for the next certificate.</summary>
internal static class RenewalClock
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    /// <summary>At two thirds of its life, give or take a twentieth, so that a fleet enrolled in one night does not renew in one.</summary>
    /// <param name="draw">0 to 1, drawn once per certificate.</param>
    public static DateTimeOffset Due(DateTimeOffset notBefore, DateTimeOffset notAfter, double draw) =>
        notBefore + ((notAfter - notBefore) * ((2.0 / 3.0) + ((draw - 0.5) * 0.1)));

    /// <summary>
    /// How long one that has just been received is new: by a clock that is weeks ahead each is due at once. An hour, and less of a short life.
    /// </summary>
    public static TimeSpan NewFor(DateTimeOffset notBefore, DateTimeOffset notAfter) =>
        (notAfter - notBefore) * 0.1 is var tenth && tenth < Hour ? tenth : Hour;
}
