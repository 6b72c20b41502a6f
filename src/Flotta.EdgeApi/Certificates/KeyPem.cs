using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Flotta.EdgeApi.Certificates;

/// <summary>Private keys as PEM, SEC1 and PKCS#1: what the original's tools and agents parse. PKCS#8 is read too, for keys that people bring.</summary>
internal static class KeyPem
{
    public static string Write(AsymmetricAlgorithm key) => key switch
    {
        ECDsa ecdsa => ecdsa.ExportECPrivateKeyPem() + "\n",
        RSA rsa => rsa.ExportRSAPrivateKeyPem() + "\n",
        _ => throw new CryptographicException("keys are ECDSA or RSA"),
    };

    /// <summary>The certificate with its key. Throws <see cref="CryptographicException"/> where the two do not fit or cannot be read.</summary>
    public static X509Certificate2 Join(string certificatePem, string keyPem)
    {
        try
        {
            return X509Certificate2.CreateFromPem(certificatePem, keyPem);
        }
        catch (ArgumentException problem)
        {
            throw new CryptographicException(problem.Message, problem);
        }
    }

    /// <summary>A new key of the same kind as another: P-256, or RSA of the CA's size.</summary>
    public static AsymmetricAlgorithm Like(X509Certificate2 other)
    {
        using var rsa = other.GetRSAPublicKey();
        return rsa == null ? ECDsa.Create(ECCurve.NamedCurves.nistP256) : RSA.Create(Math.Clamp(rsa.KeySize, 2048, 4096));
    }

    public static AsymmetricAlgorithm? KeyOf(X509Certificate2 certificate) =>
        (AsymmetricAlgorithm?)certificate.GetECDsaPrivateKey() ?? certificate.GetRSAPrivateKey();

    /// <summary>How a person and an EDSR know a key: the digest of its SubjectPublicKeyInfo.</summary>
    public static string Fingerprint(PublicKey key) => "SHA256:" + Convert.ToBase64String(SHA256.HashData(key.ExportSubjectPublicKeyInfo())).TrimEnd('=');
}
