using System.Globalization;
using System.Text.RegularExpressions;

namespace Flotta.ApiServer.Discovery;

/// <summary>Kubernetes' order of versions: v2, v1, v2beta1, v1beta2, v1alpha1, then anything else by name.</summary>
internal sealed partial class VersionOrder : IComparer<string>
{
    public static readonly VersionOrder Instance = new();

    public int Compare(string? x, string? y)
    {
        var (left, right) = (Rank(x!), Rank(y!));
        if (left.Stability == 0 && right.Stability == 0)
            return string.CompareOrdinal(y, x);
        return left.CompareTo(right);
    }

    private static (int Stability, int Major, int Minor) Rank(string version)
    {
        var match = Pattern().Match(version);
        if (!match.Success)
            return (0, 0, 0);
        var stability = match.Groups["word"].Value switch { "" => 3, "beta" => 2, _ => 1 };
        return (stability, Number(match.Groups["major"].Value), Number(match.Groups["minor"].Value));
    }

    private static int Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    [GeneratedRegex("^v(?<major>[0-9]+)((?<word>alpha|beta)(?<minor>[0-9]+))?$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 100)]
    private static partial Regex Pattern();
}
