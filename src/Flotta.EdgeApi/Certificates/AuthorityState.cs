using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Flotta.EdgeApi.Certificates;

/// <summary>What we sign with, whom we trust and what we show, at one time. Never changed, only replaced.</summary>
internal sealed class AuthorityState
{
    public AuthorityState(StoredPair ca, StoredPair server)
    {
        (Ca, Trusted) = ReadCa(ca);
        CaPem = ca.CertificatePem;
        BridgesPem = ca.BridgesPem;
        Server = Join(server);
        // Devices look in the list of names for the certificate to show; a program that finds none of its own there shows none.
        var known = SslCertificateTrust.CreateForX509Collection([.. Trusted.Authorities.Select(authority => ca.BridgesPem.Length == 0 ? authority : NameOf(authority))], sendTrustInHandshake: true);
        ServerContext = SslStreamCertificateContext.Create(Server, Others(server.CertificatePem), offline: true, known);
        (StoredCa, StoredServer) = (ca, server);
    }

    /// <summary>With its key.</summary>
    public X509Certificate2 Ca { get; }

    public string CaPem { get; }

    /// <summary>What lies between our certificates and an earlier CA, for whoever knows only that one.</summary>
    public string BridgesPem { get; }

    public TrustedAuthorities Trusted { get; }

    public X509Certificate2 Server { get; }

    public SslStreamCertificateContext ServerContext { get; }

    public StoredPair StoredCa { get; }

    public StoredPair StoredServer { get; }

    public bool IsOf(StoredPair ca, StoredPair server) =>
        string.Equals(StoredCa.Version, ca.Version, StringComparison.Ordinal) && string.Equals(StoredServer.Version, server.Version, StringComparison.Ordinal);

    /// <summary>ca.crt may hold several certificates: the one that fits ca.key signs, the others are earlier ones and only trusted.</summary>
    public static (X509Certificate2 Ca, TrustedAuthorities Trusted) ReadCa(StoredPair stored)
    {
        try
        {
            var all = new X509Certificate2Collection();
            all.ImportFromPem(stored.CertificatePem);
            foreach (var candidate in all)
            {
                if (TryJoin(candidate, stored.KeyPem) is { } signer)
                    return (signer, new TrustedAuthorities([.. all]));
            }

            throw new CryptographicException("the key belongs to none of the certificates");
        }
        catch (CryptographicException problem)
        {
            throw new EdgeApiStartException($"The CA in secret {stored.Name} cannot be used: {problem.Message}", problem);
        }
    }

    public static X509Certificate2 Join(StoredPair stored)
    {
        try
        {
            return KeyPem.Join(stored.CertificatePem, stored.KeyPem);
        }
        catch (CryptographicException problem)
        {
            throw new EdgeApiStartException($"The certificate in secret {stored.Name} cannot be used: {problem.Message}", problem);
        }
    }

    // What is named is also taken for the end of our chain, which would then be shown without its bridges: only the name, on a key that signed nothing.
    private static X509Certificate2 NameOf(X509Certificate2 authority)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(authority.SubjectName, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        return request.CreateSelfSigned(new DateTimeOffset(authority.NotBefore.ToUniversalTime()), new DateTimeOffset(authority.NotAfter.ToUniversalTime()));
    }

    private static X509Certificate2? TryJoin(X509Certificate2 certificate, string keyPem)
    {
        try
        {
            return KeyPem.Join(certificate.ExportCertificatePem(), keyPem);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    // Intermediates of a server certificate that people brought.
    private static X509Certificate2Collection? Others(string pem)
    {
        var all = new X509Certificate2Collection();
        all.ImportFromPem(pem);
        if (all.Count < 2)
            return null;
        all.RemoveAt(0);
        return all;
    }
}
