using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Flotta.EdgeApi.Heartbeats;

/// <summary>
/// <c>Prefer: quiet=SECONDS</c> on a heartbeat asks to say the same again only after so long, while a request on data/in is held. Granted where the device's period is
/// a minute or more: who set a shorter one wants to hear of a silent device sooner than a held request tells.
/// </summary>
internal static class Quiet
{
    private const int Longest = 24 * 3600;
    private static readonly TimeSpan ShortestPeriod = TimeSpan.FromMinutes(1);

    public static int? Asked(IHeaderDictionary headers) =>
        headers["Prefer"] is [{ } prefer] && prefer.StartsWith("quiet=", StringComparison.OrdinalIgnoreCase)
        && int.TryParse(prefer.AsSpan("quiet=".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds > 0
            ? Math.Min(seconds, Longest)
            : null;

    public static bool Fits(TimeSpan period) => period >= ShortestPeriod;

    public static string Granted(int seconds) => string.Create(CultureInfo.InvariantCulture, $"quiet={seconds}");
}
