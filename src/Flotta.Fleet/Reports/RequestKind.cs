namespace Flotta.Fleet.Reports;

/// <summary>What devices ask; the report has a line for each.</summary>
internal enum RequestKind
{
    Enrolment,

    /// <summary>The same with <c>Prefer: wait</c>, from devices that wait to be let in: how long it took says nothing, only how it ended does.</summary>
    HeldEnrolment,
    Registration,
    Control,

    /// <summary>GET data/in that the server answers at once.</summary>
    Configuration,

    /// <summary>GET data/in with <c>Prefer: wait</c>: how long it took says nothing, only how it ended does.</summary>
    HeldConfiguration,
    Heartbeat,
}
