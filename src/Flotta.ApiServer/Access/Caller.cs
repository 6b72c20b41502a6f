using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;

namespace Flotta.ApiServer.Access;

/// <summary>Who asks, as their verified certificate says.</summary>
internal sealed record Caller(string User, IReadOnlyList<string> Groups)
{
    private const string CommonName = "2.5.4.3";
    private const string Organization = "2.5.4.10";

    /// <summary>CN is the user, each O a group. Null: a certificate without a name.</summary>
    public static Caller? From(X509Certificate2 leaf)
    {
        string? user = null;
        List<string> groups = ["system:authenticated"];
        foreach (var name in leaf.SubjectName.EnumerateRelativeDistinguishedNames(reversed: false))
        {
            // What has several values in one part cannot be read unambiguously: such a part names nobody.
            if (name.HasMultipleElements)
                return null;
            if (name.GetSingleElementType().Value == CommonName)
                user = name.GetSingleElementValue();
            else if (name.GetSingleElementType().Value == Organization && name.GetSingleElementValue() is { } group)
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
