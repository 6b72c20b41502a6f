using System.Security.Cryptography.X509Certificates;

namespace Flotta.Yggdrasil.Credentials;

/// <summary>The CAs that we trust: those of ca-root and only those, or the system's where none is given.</summary>
public sealed class Roots
{
    private readonly X509Certificate2Collection _certificates;

    private Roots(X509Certificate2Collection certificates) => _certificates = certificates;

    public static Roots System { get; } = new([]);

    /// <summary>To be kept, and compared. Empty for the system's.</summary>
    public string Pem => string.Concat(_certificates.Select(certificate => certificate.ExportCertificatePem() + "\n"));

    public bool AreOurs => _certificates.Count > 0;

    public static Roots FromFiles(IReadOnlyCollection<string> files)
    {
        var all = new X509Certificate2Collection();
        foreach (var file in files)
        {
            var found = Identity.Certificates(PemFile.Read(file, "CA file"), file);
            if (found.Count == 0)
                throw new CredentialException($"The CA file {file} holds no PEM certificate.");
            all.AddRange(found);
        }

        return new Roots(all);
    }

    public static Roots FromPem(string pem) => new(Identity.Certificates(pem, "the CA"));

    public X509ChainPolicy ForServers()
    {
        var policy = Policy();
        policy.ApplicationPolicy.Add(new global::System.Security.Cryptography.Oid("1.3.6.1.5.5.7.3.1"));
        return policy;
    }

    /// <summary>
    /// Whether one of our CAs signed it, if need be through the certificates that came along: a CA that was replaced vouches for its successor.
    /// Not a question of time: a device's clock may be wrong, and the server judges that.
    /// </summary>
    public bool Signed(Identity identity)
    {
        ArgumentNullException.ThrowIfNull(identity);
        if (!AreOurs)
            return true;
        return _certificates.Any(root =>
        {
            using var chain = new X509Chain { ChainPolicy = Policy([root]) };
            chain.ChainPolicy.ExtraStore.AddRange(identity.Between.ToArray());
            chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid;
            return chain.Build(identity.Certificate);
        });
    }

    /// <summary>
    /// Whether any one of our CAs, taken alone, signed the server's certificate. Of two CAs with the same name (one that was renewed, and the one
    /// before) the platform tries only the first unless the certificate names the key, and finds the signature wrong.
    /// </summary>
    internal bool SignedServer(X509Certificate2 certificate, X509Chain presented) =>
        AreOurs && _certificates.Count > 1 && _certificates.Any(root =>
        {
            using var chain = new X509Chain { ChainPolicy = Policy([root]) };
            chain.ChainPolicy.ApplicationPolicy.Add(new global::System.Security.Cryptography.Oid("1.3.6.1.5.5.7.3.1"));
            chain.ChainPolicy.ExtraStore.AddRange(presented.ChainPolicy.ExtraStore);
            return chain.Build(certificate);
        });

    private X509ChainPolicy Policy(X509Certificate2Collection? only = null)
    {
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        if (!AreOurs)
            return policy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.AddRange(only ?? _certificates);
        return policy;
    }
}
