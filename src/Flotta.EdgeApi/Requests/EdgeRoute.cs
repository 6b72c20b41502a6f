namespace Flotta.EdgeApi.Requests;

internal enum EdgeEndpoint
{
    ControlIn,
    ControlOut,
    DataIn,
    DataOut,
}

/// <summary>The four paths that exist. The id is as the client wrote it, in lower case, and may be anything without a slash.</summary>
internal readonly record struct EdgeRoute(EdgeEndpoint Endpoint, string DeviceId)
{
    public const string Prefix = "/api/flotta-management/v1/";

    public string Method => Endpoint is EdgeEndpoint.ControlIn or EdgeEndpoint.DataIn ? "GET" : "POST";

    public static EdgeRoute? Find(ReadOnlySpan<char> path)
    {
        if (!path.StartsWith(Prefix, StringComparison.Ordinal))
            return null;
        path = path[Prefix.Length..];
        if (path.EndsWith('/'))
            path = path[..^1];
        var first = path.IndexOf('/');
        var last = path.LastIndexOf('/');
        if (first <= 0 || last - first < 2)
            return null;
        var id = path[(first + 1)..last];
        if (id.Contains('/'))
            return null;
        EdgeEndpoint? endpoint = (path[..first].ToString(), path[(last + 1)..].ToString()) switch
        {
            ("control", "in") => EdgeEndpoint.ControlIn,
            ("control", "out") => EdgeEndpoint.ControlOut,
            ("data", "in") => EdgeEndpoint.DataIn,
            ("data", "out") => EdgeEndpoint.DataOut,
            _ => null,
        };
        return endpoint is { } found ? new EdgeRoute(found, id.ToString().ToLowerInvariant()) : null;
    }
}
