using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Flotta.EdgeApi.Certificates;

/// <summary>A PKCS#10 request whose sender has proved to own the key. Its subject and extensions are nobody's business.</summary>
internal sealed record SigningRequest(PublicKey Key, string Fingerprint)
{
    public const int LongestPem = 16 * 1024;
    private const string EllipticCurve = "1.2.840.10045.2.1";

    /// <summary>P-256, P-384 and P-521 as their encoded names.</summary>
    private static readonly byte[][] StrongCurves =
    [
        [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07], [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22], [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x23],
    ];

    /// <summary>Null where the text is no request, its proof of possession is wrong, or its key is too weak.</summary>
    public static SigningRequest? Read(string? pem)
    {
        if (string.IsNullOrEmpty(pem) || pem.Length > LongestPem)
            return null;
        try
        {
            if (!PemEncoding.TryFind(pem, out var block))
                return null;
            // The label is not checked, as the original does not; what is inside decides.
            var der = Convert.FromBase64String(pem[block.Base64Data]);
            var request = CertificateRequest.LoadSigningRequest(
                der, HashAlgorithmName.SHA256, out var consumed, CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions, RSASignaturePadding.Pkcs1);
            return consumed == der.Length && IsStrong(request.PublicKey) ? new(request.PublicKey, KeyPem.Fingerprint(request.PublicKey)) : null;
        }
        catch (Exception problem) when (problem is CryptographicException or FormatException or ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    private static bool IsStrong(PublicKey key)
    {
        // Known by its name: taking the key in once more, with all its checks, costs as much as the proof did.
        if (key.Oid.Value == EllipticCurve && key.EncodedParameters?.RawData is { } curve && StrongCurves.Any(strong => strong.AsSpan().SequenceEqual(curve)))
            return true;
        using var rsa = key.GetRSAPublicKey();
        if (rsa != null)
            return rsa.KeySize is >= 2048 and <= 8192;
        using var ecdsa = key.GetECDsaPublicKey();
        return ecdsa is { KeySize: >= 256 };
    }
}
