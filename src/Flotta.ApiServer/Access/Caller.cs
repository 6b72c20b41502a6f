using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;
using Flotta.ApiServer.Access.Rights;

namespace Flotta.ApiServer.Access;

/// <summary>Who asks, as their verified certificate or token says. One for a connection or token, so that what is found out about it can be kept with it.</summary>
internal sealed class Caller(string user, IReadOnlyList<string> groups)
{
    public const string Authenticated = "system:authenticated";
    public const string Masters = "system:masters";

    private const string CommonName = "2.5.4.3";
    private const string Organization = "2.5.4.10";

    private static readonly Dictionary<string, IReadOnlyList<string>> Nothing = [];

    public string User { get; } = user;

    public IReadOnlyList<string> Groups { get; } = groups;

    /// <summary>Of a service account; else empty.</summary>
    public string Uid { get; init; } = "";

    public IReadOnlyDictionary<string, IReadOnlyList<string>> Extra { get; init; } = Nothing;

    /// <summary>Who really asks, when this is somebody whom they act as.</summary>
    public Caller? By { get; init; }

    /// <summary>May do everything, whatever the roles say: who has locked everybody out can still repair that.</summary>
    public bool IsMaster { get; } = groups.Contains(Masters, StringComparer.Ordinal);

    /// <summary>The rights found last; they say themselves of which policy they are.</summary>
    public RightsOfSubject? Known { get; set; }

    /// <summary>CN is the user, each O a group. Null: a certificate without a name.</summary>
    public static Caller? From(X509Certificate2 leaf)
    {
        string? user = null;
        List<string> groups = [Authenticated];
        foreach (var name in leaf.SubjectName.EnumerateRelativeDistinguishedNames(reversed: false))
        {
            // What has several values in one part cannot be read unambiguously: such a part names nobody.
            if (name.HasMultipleElements)
                return null;
            if (name.GetSingleElementType().Value == CommonName)
                user = name.GetSingleElementValue();
            else if (name.GetSingleElementType().Value == Organization && name.GetSingleElementValue() is { } group && !groups.Contains(group, StringComparer.Ordinal))
                groups.Add(group);
        }

        return string.IsNullOrEmpty(user) ? null : new Caller(user, groups);
    }

    public static X500DistinguishedName Subject(string user, IEnumerable<string> groups)
    {
        var subject = new X500DistinguishedNameBuilder();
        foreach (var group in groups)
            subject.Add(Organization, group, UniversalTagNumber.UTF8String);
        subject.Add(CommonName, user, UniversalTagNumber.UTF8String);
        return subject.Build();
    }
}
