using System.Globalization;

namespace Flotta.EdgeApi.Remote;

/// <summary>Durations as the original's settings write them: 5s, 1m30s, 1.5h, 250ms.</summary>
internal static class GoDuration
{
    private static readonly (string Unit, double Seconds)[] Units = [("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9), ("h", 3600), ("m", 60), ("s", 1)];

    /// <summary>Null where the text is none.</summary>
    public static TimeSpan? Parse(ReadOnlySpan<char> text)
    {
        if (text.IsEmpty)
            return null;
        var seconds = 0d;
        while (!text.IsEmpty)
        {
            var digits = text.IndexOfAnyExcept("0123456789.");
            if (digits <= 0 || !double.TryParse(text[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
                return null;
            text = text[digits..];
            var found = false;
            foreach (var (unit, worth) in Units)
            {
                if (!text.StartsWith(unit, StringComparison.Ordinal))
                    continue;
                seconds += number * worth;
                text = text[unit.Length..];
                found = true;
                break;
            }

            if (!found)
                return null;
        }

        return seconds < TimeSpan.MaxValue.TotalSeconds / 2 ? TimeSpan.FromSeconds(seconds) : null;
    }
}
