using System.Globalization;
using System.Text.RegularExpressions;

namespace Flotta.ApiServer.Definitions;

/// <summary>v10, v2, v1, v11beta2, v1beta1, v1alpha1, foo: what is more stable, then newer, comes first.</summary>
internal sealed partial class VersionOrder : IComparer<string>
{
    public static VersionOrder Instance { get; } = new();

    public int Compare(string? x, string? y)
    {
        var (one, other) = (Rank(x ?? ""), Rank(y ?? ""));
        return one is null && other is null
            ? string.CompareOrdinal(x, y)
            : Comparer<(int, int, int)>.Default.Compare(other ?? (0, 0, 0), one ?? (0, 0, 0));
    }

    private static (int Stability, int Major, int Minor)? Rank(string version)
    {
        if (Pattern().Match(version) is not { Success: true } match) return null;
        var stability = match.Groups["stage"].Value switch
        {
            "" => 3,
            "beta" => 2,
            _ => 1,
        };
        return (stability, Number(match.Groups["major"].Value), Number(match.Groups["minor"].Value));
    }

    private static int Number(string digits) => int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    [GeneratedRegex(@"^v(?<major>[1-9][0-9]*)((?<stage>alpha|beta)(?<minor>[1-9][0-9]*))?\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, Timeout.Infinite)]
    private static partial Regex Pattern();
}
