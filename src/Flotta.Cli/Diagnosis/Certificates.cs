using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Flotta.Cli.Diagnosis;

/// <summary>A certificate and its key as they lie in a Secret.</summary>
internal sealed record Pair(string Name, string CertificatePem, string KeyPem);

/// <summary>The certificates between devices and the Edge API: do keys fit, do chains end at the CA, until when are they good. Pure.</summary>
internal static class Certificates
{
    private const string Check = "certificates";
    private const string Renewed = "The Edge API renews it while it runs: look at its log";

    /// <param name="ca">Null: there is no such Secret.</param>
    public static IEnumerable<Finding> Of(Pair? ca, Pair? server, IReadOnlyList<Pair> bootstraps, DateTimeOffset now)
    {
        if (ca is null)
        {
            yield return server is null && bootstraps.Count == 0
                ? Finding.Warning(Check, "there are none yet", "The Edge API makes them when it starts for the first time")
                : Finding.Error(Check, "the Secret flotta/flotta-ca is missing, and others are there", "Restore it from a backup: with a new CA every device has to enrol again");
            yield break;
        }

        if (Authorities(ca) is not { } authorities)
        {
            yield return Finding.Error(Check, $"the Secret flotta/{ca.Name} has a ca.crt and a ca.key that do not fit or cannot be read", "Restore it from a backup");
            yield break;
        }

        yield return Dates("the CA", authorities[0], now, "kubectl -n flotta annotate secret flotta-ca flotta/rotate=now");
        yield return server is null
            ? Finding.Error(Check, "the Secret flotta/flotta-host-certificate is missing", "The Edge API makes it when it starts")
            : Leaf("the server's certificate", server, authorities, now, "kubectl -n flotta delete secret flotta-host-certificate, and restart the Edge API");
        foreach (var finding in Bootstraps(bootstraps, authorities, now))
            yield return finding;
    }

    /// <summary>The CA that signs first, then those that are still trusted; null where they cannot be read.</summary>
    public static X509Certificate2Collection? Authorities(Pair ca)
    {
        try
        {
            var all = new X509Certificate2Collection();
            all.ImportFromPem(ca.CertificatePem);
            var signer = all.FirstOrDefault(one => Fits(one.ExportCertificatePem(), ca.KeyPem));
            if (signer is null)
                return null;
            all.Remove(signer);
            all.Insert(0, signer);
            return all;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    /// <summary>Signed by one of them, whatever the dates.</summary>
    public static bool IsSignedBy(X509Certificate2 leaf, X509Certificate2Collection authorities, X509Certificate2Collection? between = null)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        if (between is not null)
            chain.ChainPolicy.ExtraStore.AddRange(between);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid | X509VerificationFlags.AllowUnknownCertificateAuthority;
        return chain.Build(leaf) && chain.ChainElements.Any(element => authorities.Any(authority => authority.RawDataMemory.Span.SequenceEqual(element.Certificate.RawDataMemory.Span)));
    }

    /// <summary>How long a certificate is good for, and what to do where that is not long.</summary>
    public static Finding Dates(string what, X509Certificate2 certificate, DateTimeOffset now, string @do)
    {
        var (from, until) = (certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime());
        if (until < now.UtcDateTime)
            return Finding.Error(Check, $"{what} expired on {until:yyyy-MM-dd}", @do);
        if (from > now.UtcDateTime.AddMinutes(5))
            return Finding.Error(Check, $"{what} is only good from {from:yyyy-MM-dd HH:mm} UTC on", "Set the clock");
        // Everything that renews itself does so at two thirds of its life: five sixths are late.
        return now.UtcDateTime > until - ((until - from) / 6) ? Finding.Warning(Check, $"{what} expires on {until:yyyy-MM-dd}", @do) : Finding.Ok(Check, $"{what} is good until {until:yyyy-MM-dd}");
    }

    private static IEnumerable<Finding> Bootstraps(IReadOnlyList<Pair> bootstraps, X509Certificate2Collection authorities, DateTimeOffset now)
    {
        var findings = bootstraps.Select(pair => Leaf($"the bootstrap certificate {pair.Name}", pair, authorities, now, Renewed)).ToList();
        // Old ones are there until they expire: one good one is enough.
        if (findings.Find(finding => finding.Health == Health.Ok) is { } good)
            yield return good;
        else if (findings.Count == 0)
            yield return Finding.Error(Check, "there is no bootstrap certificate: no new device can ask to be let in", "The Edge API makes one when it starts, and every ten minutes where it is missing");
        else
            yield return findings[^1];
    }

    private static Finding Leaf(string what, Pair pair, X509Certificate2Collection authorities, DateTimeOffset now, string @do)
    {
        if (!Fits(pair.CertificatePem, pair.KeyPem))
            return Finding.Error(Check, $"{what} and its key (Secret flotta/{pair.Name}) do not fit or cannot be read", @do);
        using var certificate = X509Certificate2.CreateFromPem(pair.CertificatePem);
        return IsSignedBy(certificate, authorities) ? Dates(what, certificate, now, @do) : Finding.Error(Check, $"{what} is not signed by the CA in flotta/flotta-ca", @do);
    }

    private static bool Fits(string certificatePem, string keyPem)
    {
        try
        {
            using var joined = X509Certificate2.CreateFromPem(certificatePem, keyPem);
            return true;
        }
        catch (Exception unusable) when (unusable is CryptographicException or ArgumentException)
        {
            return false;
        }
    }
}
