using System.Security.Cryptography.X509Certificates;

namespace Flotta.EdgeApi.Certificates;

internal enum Chaining
{
    /// <summary>Signed by one of our CAs, and within its dates.</summary>
    Valid,

    /// <summary>Signed by one of our CAs, but past its date.</summary>
    Expired,

    /// <summary>Anything else.</summary>
    Foreign,
}

/// <summary>The CAs whose signature we accept. An immutable snapshot: the present one signs, earlier ones stay trusted until what they signed has expired.</summary>
internal sealed class TrustedAuthorities(IReadOnlyList<X509Certificate2> authorities)
{
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(5);

    private Shared? shared;

    public IReadOnlyList<X509Certificate2> Authorities { get; } = authorities;

    /// <summary>
    /// Looks at the leaf and at nothing else of what the client sent: a certificate that happens to lie beside it says nothing about who is talking.
    /// </summary>
    /// <param name="leaf">Whose signature is looked at.</param>
    /// <param name="now">For its dates.</param>
    /// <param name="isShared">Many come with the very same one, as newcomers do: its signature is looked at once.</param>
    public Chaining Check(X509Certificate2 leaf, DateTimeOffset now, bool isShared = false)
    {
        if (leaf.NotBefore.ToUniversalTime() > now.UtcDateTime + Skew || !(isShared ? IsSharedSignedByUs(leaf) : IsSignedByUs(leaf)))
            return Chaining.Foreign;
        return leaf.NotAfter.ToUniversalTime() < now.UtcDateTime ? Chaining.Expired : Chaining.Valid;
    }

    private bool IsSharedSignedByUs(X509Certificate2 leaf)
    {
        if (Volatile.Read(ref shared) is { } known && known.Leaf.AsSpan().SequenceEqual(leaf.RawDataMemory.Span))
            return known.IsOurs;
        var isOurs = IsSignedByUs(leaf);
        // What is not ours may be made up anew each time; it must not push out what is.
        if (isOurs)
            Volatile.Write(ref shared, new(leaf.RawData, isOurs));
        return isOurs;
    }

    public bool IsSignedByUs(X509Certificate2 leaf)
    {
        if (leaf.Extensions.OfType<X509BasicConstraintsExtension>().Any(constraints => constraints.CertificateAuthority))
            return false;
        foreach (var authority in Authorities)
        {
            if (Signed(authority, leaf))
                return true;
        }

        return false;
    }

    private static bool Signed(X509Certificate2 authority, X509Certificate2 leaf)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        // Only the signature is asked for; the caller compares the dates. A CA that people bring may be an intermediate: as an anchor it counts all the same.
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid | X509VerificationFlags.AllowUnknownCertificateAuthority;
        var built = chain.Build(leaf);
        var whole = chain.ChainElements.Count == 2 && chain.ChainElements[1].Certificate.RawDataMemory.Span.SequenceEqual(authority.RawDataMemory.Span);
        foreach (var element in chain.ChainElements)
            element.Certificate.Dispose();
        return built && whole;
    }

    private sealed record Shared(byte[] Leaf, bool IsOurs);
}
