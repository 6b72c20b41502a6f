using Flotta.Yggdrasil.Transport;

namespace Flotta.Fleet.Devices;

/// <summary>When a device asks for its configuration again; as the agent does it.</summary>
internal static class PollPace
{
    private static readonly TimeSpan LeastGap = TimeSpan.FromMilliseconds(200);

    /// <param name="isNew">It was another configuration than the one the device had.</param>
    /// <param name="wasHeld">The server kept the request for a while, so it will the next one.</param>
    public static TimeSpan After(bool isNew, bool wasHeld, DeviceSettings settings) =>
        settings.Hold is not null && (isNew || wasHeld) ? BackOff.Around(LeastGap, 0.5) : BackOff.Around(settings.PollInterval, 0.2);
}
