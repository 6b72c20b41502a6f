namespace Flotta.Fleet.Devices;

/// <summary>Where a device stands with its server.</summary>
internal enum DevicePhase
{
    /// <summary>Not switched on yet.</summary>
    Off,
    Enrolling,

    /// <summary>Enrolled, and nobody has approved it yet.</summary>
    Waiting,
    Registering,

    /// <summary>It has a certificate of its own.</summary>
    Registered,

    /// <summary>The server wants no more of it; a real device stops until it is restarted.</summary>
    Disconnected,
}

/// <summary>What an answer means for a device's standing: pure, and the same for every server that speaks the protocol.</summary>
internal static class DevicePhases
{
    public static DevicePhase AfterEnrolment(int status) => status switch
    {
        208 => DevicePhase.Registering,
        >= 200 and < 300 => DevicePhase.Waiting,
        _ => DevicePhase.Enrolling,
    };

    public static DevicePhase AfterRegistration(int status) => status switch
    {
        >= 200 and < 300 => DevicePhase.Registered,
        // Not approved any more, or not yet.
        404 => DevicePhase.Waiting,
        401 or 403 => DevicePhase.Enrolling,
        // A server that has trouble has not refused anything.
        _ => DevicePhase.Registering,
    };
}
