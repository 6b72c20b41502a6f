using Flotta.EdgeApi.Statuses;
using Flotta.Resources;

namespace Flotta.EdgeApi.Identity;

/// <summary>Which of the certificates that we once signed for a device counts today.</summary>
internal static class DeviceRule
{
    /// <summary>
    /// The last one issued, or the one before until the last has been used. A device without a record was registered before there were records: any of its certificates counts,
    /// but not while it has not registered at all.
    /// </summary>
    public static bool Accepts(EdgeDevice device, string serial)
    {
        if (device.IsRevoked())
            return false;
        return device.Status?.Certificate is { Serial.Length: > 0 } ? IsRecorded(device, serial) : !device.AwaitsRegistration();
    }

    public static bool IsRecorded(EdgeDevice device, string serial) =>
        device.Status?.Certificate is { } certificate && (Same(certificate.Serial, serial) || Same(certificate.PreviousSerial, serial));

    private static bool Same(string? recorded, string serial) => !string.IsNullOrEmpty(recorded) && string.Equals(recorded, serial, StringComparison.OrdinalIgnoreCase);
}
