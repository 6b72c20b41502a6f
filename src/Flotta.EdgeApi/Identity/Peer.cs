using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Flotta.EdgeApi.Certificates;

namespace Flotta.EdgeApi.Identity;

/// <summary>
/// Who is at the other end of a connection, according to the leaf certificate that it proved to own. Whether one of our CAs signed it is found out once for each
/// set of CAs; everything that can change in time (dates, revocation) is asked at every request.
/// </summary>
internal sealed class Peer
{
    private readonly X509Certificate2 leaf;
    private Verdict? verdict;

    public Peer(X509Certificate2 leaf)
    {
        this.leaf = leaf;
        (Name, Namespace) = NamesOf(leaf);
        IsBootstrap = string.Equals(Name, Issue.BootstrapName, StringComparison.Ordinal);
        Serial = leaf.SerialNumber.ToLowerInvariant();
        NotAfter = new DateTimeOffset(leaf.NotAfter.ToUniversalTime());
    }

    /// <summary>The common name in lower case: the id of a device, or of the bootstrap certificate.</summary>
    public string Name { get; }

    /// <summary>The first organizational unit: the device's namespace. Empty in a bootstrap certificate.</summary>
    public string Namespace { get; }

    public bool IsBootstrap { get; }

    /// <summary>Hexadecimal, lower case.</summary>
    public string Serial { get; }

    public DateTimeOffset NotAfter { get; }

    public Chaining Check(TrustedAuthorities trusted, DateTimeOffset now)
    {
        var known = Volatile.Read(ref verdict);
        if (known == null || !ReferenceEquals(known.By, trusted))
            Volatile.Write(ref verdict, known = new(trusted, trusted.Check(leaf, now, isShared: IsBootstrap)));
        // A certificate that was valid when the connection began may have expired since.
        return known.Chaining == Chaining.Valid && NotAfter < now ? Chaining.Expired : known.Chaining;
    }

    // From the encoded name: the text form could be made to look like something else with commas and quotes.
    private static (string Name, string Namespace) NamesOf(X509Certificate2 leaf)
    {
        string? name = null, unit = null;
        foreach (var part in leaf.SubjectName.EnumerateRelativeDistinguishedNames())
        {
            if (part.HasMultipleElements)
                continue;
            switch (part.GetSingleElementType().Value)
            {
                case "2.5.4.3":
                    name ??= part.GetSingleElementValue();
                    break;
                case "2.5.4.11":
                    unit ??= part.GetSingleElementValue();
                    break;
            }
        }

        return ((name ?? "").ToLower(CultureInfo.InvariantCulture), unit ?? "");
    }

    private sealed record Verdict(TrustedAuthorities By, Chaining Chaining);
}
