using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Flotta.Fleet.Credentials;

/// <summary>The private key of one simulated device: P-256, the cheapest to make a thousand of.</summary>
internal static class DeviceKey
{
    public static string CreatePem()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportPkcs8PrivateKeyPem() + "\n";
    }

    /// <summary>PEM PKCS#10 with the device's id as its common name.</summary>
    public static string Request(string keyPem, string deviceId)
    {
        using var key = ECDsa.Create();
        key.ImportFromPem(keyPem);
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(deviceId);
        return new CertificateRequest(subject.Build(), key, HashAlgorithmName.SHA256).CreateSigningRequestPem() + "\n";
    }
}
