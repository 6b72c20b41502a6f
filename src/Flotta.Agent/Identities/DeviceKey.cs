using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Flotta.Agent.Identities;

/// <summary>A key of the device's own, and what is asked for with it.</summary>
internal sealed class DeviceKey : IDisposable
{
    private readonly AsymmetricAlgorithm _key;

    private DeviceKey(AsymmetricAlgorithm key) => _key = key;

    /// <summary>The same kind as the bootstrap key: an RSA authority signs no ECDSA requests in the original, and the other way round.</summary>
    public static DeviceKey Create(bool rsa) => new(rsa ? RSA.Create(4096) : ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>Null when the text holds no key that we could have written.</summary>
    public static DeviceKey? FromPem(string pem)
    {
        AsymmetricAlgorithm[] kinds = [ECDsa.Create(), RSA.Create()];
        foreach (var kind in kinds)
        {
            try
            {
                kind.ImportFromPem(pem);
                return new DeviceKey(kind);
            }
            catch (Exception exception) when (exception is CryptographicException or ArgumentException or NotSupportedException or FormatException or OverflowException)
            {
                kind.Dispose();
            }
        }

        return null;
    }

    public string ToPem() => _key.ExportPkcs8PrivateKeyPem() + "\n";

    /// <summary>PEM PKCS#10 with the device's id as its common name, signed with the key it is for.</summary>
    public string Request(string deviceId)
    {
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(deviceId);
        var request = _key is RSA rsa
            ? new CertificateRequest(subject.Build(), rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest(subject.Build(), (ECDsa)_key, HashAlgorithmName.SHA256);
        return request.CreateSigningRequestPem() + "\n";
    }

    /// <summary><c>SHA256:</c> and base64 over the public key: what the administrator compares before approving.</summary>
    public string Fingerprint() => "SHA256:" + Convert.ToBase64String(SHA256.HashData(_key.ExportSubjectPublicKeyInfo())).TrimEnd('=');

    public bool IsKeyOf(X509Certificate2 certificate) => certificate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(_key.ExportSubjectPublicKeyInfo());

    public void Dispose() => _key.Dispose();
}
