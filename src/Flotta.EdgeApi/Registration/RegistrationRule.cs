using Flotta.EdgeApi.Identity;
using Flotta.EdgeApi.Statuses;
using Flotta.Resources;

namespace Flotta.EdgeApi.Registration;

internal enum RegistrationVerdict
{
    Issue,
    Unauthorized,
    Forbidden,

    /// <summary>Nobody has let the device in (yet).</summary>
    NotApproved,
}

/// <summary>Who asks for a certificate, for whom, and with which key.</summary>
/// <param name="IsOwn">By the device's own certificate; otherwise by the bootstrap certificate.</param>
/// <param name="KeyFingerprint">Of the key that the certificate is asked for; null where it is not known yet.</param>
internal sealed record RegistrationCase(
    bool IsOwn, bool HasExpired, string Serial, DateTimeOffset NotAfter, EdgeDeviceSignedRequest? Request, string? KeyFingerprint, DateTimeOffset Now, TimeSpan Grace);

/// <summary>Who gets a certificate. Pure.</summary>
internal static class RegistrationRule
{
    public static RegistrationVerdict Decide(RegistrationCase asked, EdgeDevice? device)
    {
        if (device == null || device.IsLeaving())
            return RegistrationVerdict.NotApproved;
        if (device.IsRevoked())
            return asked.IsOwn ? RegistrationVerdict.Unauthorized : RegistrationVerdict.Forbidden;
        return asked.IsOwn ? ByOwn(asked, device) : ByBootstrap(asked, device);
    }

    private static RegistrationVerdict ByOwn(RegistrationCase asked, EdgeDevice device)
    {
        if (asked.HasExpired && asked.Now > asked.NotAfter + asked.Grace)
            return RegistrationVerdict.Unauthorized;
        if (device.Status?.Certificate is { Serial.Length: > 0 })
            return DeviceRule.IsRecorded(device, asked.Serial) ? RegistrationVerdict.Issue : RegistrationVerdict.Unauthorized;
        // Registered before certificates were recorded: a renewal. Else an earlier life's certificate, which is worth as much as the bootstrap certificate.
        if (!device.AwaitsRegistration())
            return RegistrationVerdict.Issue;
        return asked.HasExpired ? RegistrationVerdict.Unauthorized : ByBootstrap(asked, device);
    }

    private static RegistrationVerdict ByBootstrap(RegistrationCase asked, EdgeDevice device)
    {
        if (asked.Request?.Spec.Declined == true)
            return RegistrationVerdict.NotApproved;
        if (asked.Request?.Spec.KeyFingerprint is { Length: > 0 } approved && asked.KeyFingerprint != null
            && !string.Equals(approved, asked.KeyFingerprint, StringComparison.Ordinal))
            return RegistrationVerdict.Forbidden;
        if (device.AwaitsRegistration())
            return RegistrationVerdict.Issue;
        // Away for too long, and approved anew.
        if (device.IsLost(asked.Grace, asked.Now))
            return asked.Request is { Spec.Approved: true } request && request.IsAskedAnew(device) ? RegistrationVerdict.Issue : RegistrationVerdict.Forbidden;
        // The device may never have received it; once it has been used, nobody else can ask like this.
        return device.Status?.Certificate is { Serial.Length: > 0, Confirmed: not true, PreviousSerial: null or "" } ? RegistrationVerdict.Issue : RegistrationVerdict.Forbidden;
    }
}
