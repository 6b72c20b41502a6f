namespace Flotta.Agent.Enrolment;

/// <summary>When to ask for the next certificate.</summary>
internal static class RenewalClock
{
    /// <summary>At two thirds of its life, give or take a twentieth, so that a fleet enrolled in one night does not renew in one.</summary>
    /// <param name="draw">0 to 1, drawn once per certificate.</param>
    public static DateTimeOffset Due(DateTimeOffset notBefore, DateTimeOffset notAfter, double draw) =>
        notBefore + ((notAfter - notBefore) * ((2.0 / 3.0) + ((draw - 0.5) * 0.1)));
}
