namespace Flotta.Fleet.Scenarios;

/// <summary>What the scenario <c>load</c> sends.</summary>
internal enum LoadRequest
{
    /// <summary>A heartbeat that says what the last one said.</summary>
    Heartbeat,

    /// <summary>A heartbeat that changes the device's status.</summary>
    ChangingHeartbeat,

    /// <summary>GET data/in as somebody who has nothing yet.</summary>
    Configuration,

    /// <summary>GET data/in with the present tag.</summary>
    UnchangedConfiguration,
    Control,

    /// <summary>Enrolment, approval and registration of each device.</summary>
    Registration,
}
