using Microsoft.Net.Http.Headers;

namespace Flotta.EdgeApi.Requests;

internal static class AcceptHeader
{
    /// <summary>Whether a client takes JSON. One that says nothing, or nothing that can be read, does.</summary>
    public static bool AllowsJson(IList<string?> accept)
    {
        if (accept.Count == 0 || !MediaTypeHeaderValue.TryParseList(accept!, out var types) || types.Count == 0)
            return true;
        return types.Any(type => type.Quality != 0 && (type.MatchesAllTypes || (type.Type.Equals("application", StringComparison.OrdinalIgnoreCase)
            && (type.MatchesAllSubTypes || type.SubType.Equals("json", StringComparison.OrdinalIgnoreCase)))));
    }
}
