using System.Security.Cryptography;
using System.Text;

namespace Flotta.Resources;

public static class LabelValue
{
    public const int MaxLength = 63;

    /// <summary>Turns any text, such as a fact about hardware, into a valid label value; null where nothing alphanumeric remains.</summary>
    public static string? Normalize(string? text)
    {
        if (string.IsNullOrEmpty(text)) return null;
        var kept = new StringBuilder(Math.Min(text.Length, MaxLength));
        foreach (var character in text)
        {
            var lower = char.ToLowerInvariant(character);
            var leads = kept.Length == 0;
            if (leads ? IsAlphanumeric(lower) : IsAllowed(lower)) kept.Append(lower);
            if (kept.Length == MaxLength) break;
        }

        var end = kept.Length;
        while (end > 0 && !IsAlphanumeric(kept[end - 1])) end--;
        return end == 0 ? null : kept.ToString(0, end);
    }

    /// <summary>The name itself where it fits into a label, else its start and a hash of the whole.</summary>
    public static string Fit(string name) => name.Length <= MaxLength ? name : Mark(name, name, MaxLength);

    /// <summary>The name, or as much of its start as there is room for, and a hash of the whole that it stands for.</summary>
    public static string Mark(string name, string whole, int maxLength)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(whole)))[..10];
        return name[..Math.Min(name.Length, maxLength - hash.Length - 1)].TrimEnd('-', '.', '_') + "-" + hash;
    }

    private static bool IsAlphanumeric(char character) => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character);

    private static bool IsAllowed(char character) => IsAlphanumeric(character) || character is '-' or '_' or '.';
}
