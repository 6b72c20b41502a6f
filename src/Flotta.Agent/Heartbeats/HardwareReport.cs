using Flotta.Agent.Hardware;
using Flotta.Wire;

namespace Flotta.Agent.Heartbeats;

/// <summary>Which facts of the machine a heartbeat carries.</summary>
internal static class HardwareReport
{
    /// <param name="told">What the server has acknowledged since this process started.</param>
    public static HardwareInfo? Choose(HardwareProfile? profile, HardwareInfo? told, HardwareInfo now)
    {
        if (profile?.Include != true)
            return null;
        if (told is null)
            return now;
        return profile.Scope == HardwareScopes.Delta ? HardwareFacts.Delta(told, now) : HardwareFacts.Mutable(now);
    }
}
