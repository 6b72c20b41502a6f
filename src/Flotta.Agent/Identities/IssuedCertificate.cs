using Flotta.Yggdrasil.Credentials;

namespace Flotta.Agent.Identities;

/// <summary>Whether what a registration answered is ours to use. A certificate that fails here is never written anywhere.</summary>
internal static class IssuedCertificate
{
    public static Identity? Accept(string? certificatePem, DeviceKey key, string deviceId, Roots roots, out string problem)
    {
        problem = "";
        Identity identity;
        try
        {
            identity = Identity.FromPem(certificatePem ?? "", key.ToPem(), "the server's answer", "this device's key");
        }
        catch (CredentialException exception)
        {
            problem = exception.Message;
            return null;
        }

        if (!key.IsKeyOf(identity.Certificate))
            problem = "the certificate is for another key";
        else if (!string.Equals(identity.CommonName, deviceId, StringComparison.OrdinalIgnoreCase))
            problem = $"the certificate is for the device {identity.CommonName}";
        else if (!roots.Signed(identity))
            problem = "the certificate is not signed by a CA of ca-root";
        return problem.Length == 0 ? identity : null;
    }
}
