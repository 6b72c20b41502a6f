using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Flotta.EdgeApi.Configuration;

/// <summary>What a request for a configuration wishes beyond the original's protocol.</summary>
/// <param name="IsOurs">It has a Prefer header: its sender understands entries that say why they are on hold.</param>
/// <param name="Wait">How long it would wait for news.</param>
/// <param name="Known">The entity tags of If-None-Match.</param>
internal readonly record struct Preference(bool IsOurs, TimeSpan Wait, IList<EntityTagHeaderValue> Known)
{
    private const int LongestWait = 300;

    public bool Knows(string version) => Known.Any(tag => tag.Tag.Equals("*", StringComparison.Ordinal) || tag.Tag.AsSpan().Trim('"').SequenceEqual(version));

    public static Preference Of(IHeaderDictionary headers)
    {
        var prefer = headers["Prefer"];
        var wait = 0;
        foreach (var part in prefer.SelectMany(value => (value ?? "").Split([',', ';'], StringSplitOptions.TrimEntries)))
        {
            if (part.StartsWith("wait=", StringComparison.OrdinalIgnoreCase)
                && int.TryParse(part.AsSpan(5).Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
                wait = Math.Min(seconds, LongestWait);
        }

        return new(prefer.Count > 0, TimeSpan.FromSeconds(wait), EntityTagHeaderValue.TryParseList(headers.IfNoneMatch, out var tags) ? tags : []);
    }
}
