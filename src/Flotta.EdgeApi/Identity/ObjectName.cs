namespace Flotta.EdgeApi.Identity;

/// <summary>What may become the name of a Kubernetes object. Anything else never gets near the API server.</summary>
internal static class ObjectName
{
    /// <summary>A DNS subdomain (RFC 1123): up to 253 characters, labels of lower-case letters, digits and inner dashes.</summary>
    public static bool IsValid(ReadOnlySpan<char> name)
    {
        if (name.Length is 0 or > 253)
            return false;
        foreach (var label in name.Split('.'))
        {
            if (!IsLabel(name[label]))
                return false;
        }

        return true;
    }

    /// <summary>A namespace is one label.</summary>
    public static bool IsNamespace(ReadOnlySpan<char> name) => IsLabel(name);

    private static bool IsLabel(ReadOnlySpan<char> label)
    {
        if (label.Length is 0 or > 63 || label[0] == '-' || label[^1] == '-')
            return false;
        foreach (var character in label)
        {
            if (!char.IsAsciiLetterLower(character) && !char.IsAsciiDigit(character) && character != '-')
                return false;
        }

        return true;
    }
}
