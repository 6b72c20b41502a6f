using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Flotta.EdgeApi.Certificates;

/// <summary>
/// When one CA follows another, and when an earlier one is forgotten. Pure but for keys. An earlier CA stays trusted until the last certificate that it signed is of
/// no use any more; its signature on its successor (a bridge) stays as long as it lives itself, for devices that will never hear of another CA.
/// </summary>
internal static class Succession
{
    /// <summary>On the Secret of the CA, with any value: make a new CA now.</summary>
    public const string Rotate = "flotta/rotate";

    /// <summary>On the same: until when which earlier CAs count, as thumbprint=time, separated by blanks.</summary>
    public const string TrustedUntil = "flotta/trusted-until";

    // Bootstrap and server certificates live for a year.
    private const int LongestLife = 366;

    /// <summary>What the Secret should be; null where it is right as it is.</summary>
    public static StoredPair? Next(StoredPair stored, EdgeApiOptions options, DateTimeOffset now)
    {
        var (ca, trusted) = AuthorityState.ReadCa(stored);
        var until = Read(stored.Annotations.GetValueOrDefault(TrustedUntil));
        var kept = trusted.Authorities.Where(one => !until.TryGetValue(one.Thumbprint, out var end) || now <= end).ToList();
        var asked = stored.Annotations.ContainsKey(Rotate);
        if (asked || (Authority.IsOurs(ca) && Authority.IsOld(ca, now)))
            return Successor(stored, ca, kept, until, options, now);
        return kept.Count == trusted.Authorities.Count ? null : stored with
        {
            CertificatePem = Pem(kept),
            BridgesPem = Pem(Living(stored.BridgesPem, now)),
            Annotations = With(stored, until.Where(entry => kept.Exists(one => one.Thumbprint == entry.Key))),
        };
    }

    private static StoredPair Successor(
        StoredPair stored, X509Certificate2 ca, List<X509Certificate2> kept, Dictionary<string, DateTimeOffset> until, EdgeApiOptions options, DateTimeOffset now)
    {
        using var key = KeyPem.Like(ca);
        using var successor = Issue.Successor(key, Issue.RandomSerial(), now);
        using var bridge = Issue.Cross(successor, ca, Issue.RandomSerial(), now);
        until[ca.Thumbprint] = now + TimeSpan.FromDays(Math.Max(LongestLife, options.ClientCertificateDays)) + options.RenewalGrace;
        return stored with
        {
            CertificatePem = Pem([successor, .. kept]),
            KeyPem = KeyPem.Write(key),
            BridgesPem = Pem([bridge, .. Living(stored.BridgesPem, now)]),
            Annotations = With(stored, until.Where(entry => kept.Exists(one => one.Thumbprint == entry.Key))),
        };
    }

    private static Dictionary<string, string> With(StoredPair stored, IEnumerable<KeyValuePair<string, DateTimeOffset>> until)
    {
        var annotations = stored.Annotations.Where(pair => pair.Key != Rotate && pair.Key != TrustedUntil).ToDictionary(StringComparer.Ordinal);
        var text = string.Join(' ', until.Select(entry => string.Create(CultureInfo.InvariantCulture, $"{entry.Key}={entry.Value.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}")));
        if (text.Length > 0)
            annotations[TrustedUntil] = text;
        return annotations;
    }

    // An entry that people wrote and that cannot be read bounds nothing.
    private static Dictionary<string, DateTimeOffset> Read(string? text)
    {
        var until = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        foreach (var entry in (text ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var at = entry.IndexOf('=', StringComparison.Ordinal);
            if (at > 0 && DateTimeOffset.TryParse(entry.AsSpan(at + 1), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var end))
                until[entry[..at]] = end;
        }

        return until;
    }

    private static List<X509Certificate2> Living(string pem, DateTimeOffset now)
    {
        var all = new X509Certificate2Collection();
        try
        {
            all.ImportFromPem(pem);
        }
        catch (CryptographicException)
        {
            return [];
        }

        return [.. all.Where(one => one.NotAfter.ToUniversalTime() > now.UtcDateTime)];
    }

    private static string Pem(IEnumerable<X509Certificate2> all) => string.Concat(all.Select(one => one.ExportCertificatePem() + "\n"));
}
