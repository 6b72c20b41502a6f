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
        Server = Join(server);
        ServerContext = SslStreamCertificateContext.Create(Server, Others(server.CertificatePem), offline: true);
        (StoredCa, StoredServer) = (ca, server);
    }

    /// <summary>With its key.</summary>
    public X509Certificate2 Ca { get; }

    public string CaPem { get; }

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
