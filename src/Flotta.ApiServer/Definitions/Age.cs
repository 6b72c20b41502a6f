using System.Globalization;

namespace Flotta.ApiServer.Definitions;

/// <summary>How long ago, as kubectl shows it.</summary>
internal static class Age
{
    public static string Of(string? timestamp, DateTimeOffset now)
    {
        if (string.IsNullOrEmpty(timestamp)) return "<unknown>";
        return DateTimeOffset.TryParse(timestamp, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var then) ? Since(now - then) : "<invalid>";
    }

    /// <summary>Two units at most, fewer the longer it is. A clock may be a second behind; more is invalid.</summary>
    public static string Since(TimeSpan passed)
    {
        var seconds = (long)passed.TotalSeconds;
        if (seconds < -1) return "<invalid>";
        if (seconds < 0) return "0s";
        if (seconds < 120) return $"{seconds}s";
        var minutes = seconds / 60;
        if (minutes < 10) return Pair(minutes, "m", seconds % 60, "s");
        if (minutes < 180) return $"{minutes}m";
        var hours = minutes / 60;
        if (hours < 8) return Pair(hours, "h", minutes % 60, "m");
        if (hours < 48) return $"{hours}h";
        var days = hours / 24;
        if (hours < 24 * 8) return Pair(days, "d", hours % 24, "h");
        if (hours < 24 * 365 * 2) return $"{days}d";
        return hours < 24 * 365 * 8 ? Pair(days / 365, "y", days % 365, "d") : $"{days / 365}y";
    }

    private static string Pair(long large, string largeUnit, long small, string smallUnit) =>
        small == 0 ? $"{large}{largeUnit}" : $"{large}{largeUnit}{small}{smallUnit}";
}
