using System.Text.RegularExpressions;

namespace Flotta.ApiServer.Definitions;

/// <summary>Names, labels and their like: each function says all that is wrong, in the real server's words.</summary>
internal static partial class ObjectNames
{
    private const string LabelFormat = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
    private const string SubdomainFormat = LabelFormat + "(\\." + LabelFormat + ")*";
    private const string Dns1035Format = "[a-z]([-a-z0-9]*[a-z0-9])?";
    private const string QualifiedFormat = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
    private const string LabelValueFormat = "(" + QualifiedFormat + ")?";

    public static IEnumerable<string> CheckDnsSubdomain(string name)
    {
        if (name.Length > 253) yield return "must be no more than 253 characters";
        if (!Subdomain().IsMatch(name))
            yield return "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an " +
                         $"alphanumeric character (e.g. 'example.com', regex used for validation is '{SubdomainFormat}')";
    }

    public static IEnumerable<string> CheckDnsLabel(string name)
    {
        if (name.Length > 63) yield return "must be no more than 63 characters";
        if (!Label().IsMatch(name))
            yield return "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric " +
                         $"character (e.g. 'my-name',  or '123-abc', regex used for validation is '{LabelFormat}')";
    }

    public static IEnumerable<string> CheckDns1035Label(string name)
    {
        if (name.Length > 63) yield return "must be no more than 63 characters";
        if (!Dns1035().IsMatch(name))
            yield return "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an " +
                         $"alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '{Dns1035Format}')";
    }

    /// <summary>For RBAC, whose names may hold almost anything.</summary>
    public static IEnumerable<string> CheckPathSegment(string name)
    {
        if (name is "." or "..") yield return $"may not be '{name}'";
        else if (name.Contains('/', StringComparison.Ordinal)) yield return "may not contain '/'";
        else if (name.Contains('%', StringComparison.Ordinal)) yield return "may not contain '%'";
    }

    public static IEnumerable<string> CheckQualifiedName(string key)
    {
        var parts = key.Split('/');
        var name = parts[^1];
        if (parts.Length > 2)
        {
            yield return "a qualified name " + QualifiedSentence + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
            yield break;
        }

        if (parts.Length == 2)
        {
            if (parts[0].Length == 0)
            {
                yield return "prefix part must be non-empty";
            }
            else
            {
                foreach (var wrong in CheckDnsSubdomain(parts[0])) yield return "prefix part " + wrong;
            }
        }

        if (name.Length == 0) yield return "name part must be non-empty";
        else if (name.Length > 63) yield return "name part must be no more than 63 characters";
        if (!Qualified().IsMatch(name)) yield return "name part " + QualifiedSentence;
    }

    public static IEnumerable<string> CheckLabelValue(string value)
    {
        if (value.Length > 63) yield return "must be no more than 63 characters";
        if (!LabelValue().IsMatch(value))
            yield return "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an " +
                         $"alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '{LabelValueFormat}')";
    }

    /// <summary>Keys of ConfigMaps and Secrets.</summary>
    public static IEnumerable<string> CheckConfigKey(string key)
    {
        if (key.Length > 253) yield return "must be no more than 253 characters";
        if (!ConfigKey().IsMatch(key))
            yield return "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', " +
                         "regex used for validation is '[-._a-zA-Z0-9]+')";
        if (key == ".") yield return "must not be '.'";
        else if (key == "..") yield return "must not be '..'";
        else if (key.StartsWith("..", StringComparison.Ordinal)) yield return "must not start with '..'";
    }

    private const string QualifiedSentence =
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or " +
        $"'123-abc', regex used for validation is '{QualifiedFormat}')";

    // These patterns never go back further than one step, so they need no limit of time, which a busy machine would break.
    [GeneratedRegex("^" + SubdomainFormat + "\\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, Timeout.Infinite)]
    private static partial Regex Subdomain();

    [GeneratedRegex("^" + LabelFormat + "\\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, Timeout.Infinite)]
    private static partial Regex Label();

    [GeneratedRegex("^" + Dns1035Format + "\\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, Timeout.Infinite)]
    private static partial Regex Dns1035();

    [GeneratedRegex("^" + QualifiedFormat + "\\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, Timeout.Infinite)]
    private static partial Regex Qualified();

    [GeneratedRegex("^" + LabelValueFormat + "\\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, Timeout.Infinite)]
    private static partial Regex LabelValue();

    [GeneratedRegex("^[-._a-zA-Z0-9]+\\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, Timeout.Infinite)]
    private static partial Regex ConfigKey();
}
