using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Flotta.EdgeApi.Configuration;

/// <summary>What a request for a configuration wishes beyond the original's protocol; of an enrolment, only how long it would wait.</summary>
/// <param name="IsOurs">It has a Prefer header: its sender understands entries that say why they are on hold.</param>
/// <param name="Wait">How long it would wait for news.</param>
/// <param name="Commands">While it waits, it would also take a command.</param>
/// <param name="Known">The entity tags of If-None-Match.</param>
internal readonly record struct Preference(bool IsOurs, TimeSpan Wait, StringValues Known, bool Commands = false)
{
    // Who pays for each byte may wait for long; who wants to hear of a dead connection asks for less.
    private const int LongestWait = 3600;

    /// <summary>What <c>Preference-Applied</c> says of a request that is held.</summary>
    public static string Granted(TimeSpan wait) => string.Create(CultureInfo.InvariantCulture, $"wait={(int)wait.TotalSeconds}");

    /// <summary>Up to a tenth less than the wait: devices that began to wait together should not all ask again together.</summary>
    public static TimeSpan Spread(TimeSpan wait) => wait * (0.9 + (0.1 * Random.Shared.NextDouble()));

    public bool Knows(string version)
    {
        if (Known.Count == 0)
            return false;
        // One tag, ours, as we sent it: what nearly everybody sends.
        if (Known.Count == 1 && Known[0] is { } one && one.Length == version.Length + 2 && one[0] == '"' && one[^1] == '"')
            return one.AsSpan(1, version.Length).SequenceEqual(version);
        return EntityTagHeaderValue.TryParseList(Known!, out var tags)
            && tags.Any(tag => tag.Tag.Equals("*", StringComparison.Ordinal) || tag.Tag.AsSpan().Trim('"').SequenceEqual(version));
    }

    public static Preference Of(IHeaderDictionary headers)
    {
        var prefer = headers["Prefer"];
        var (wait, commands) = (0, false);
        if (prefer.Count == 0)
            return new(false, TimeSpan.Zero, headers.IfNoneMatch);
        foreach (var part in prefer.SelectMany(value => (value ?? "").Split([',', ';'], StringSplitOptions.TrimEntries)))
        {
            if (part.StartsWith("wait=", StringComparison.OrdinalIgnoreCase)
                && int.TryParse(part.AsSpan(5).Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
                wait = Math.Min(seconds, LongestWait);
            else if (part.Equals("commands", StringComparison.OrdinalIgnoreCase))
                commands = true;
        }

        return new(true, TimeSpan.FromSeconds(wait), headers.IfNoneMatch, commands);
    }
}
