namespace Flotta.EdgeApi.Requests;

internal enum EdgeEndpoint
{
    ControlIn,
    ControlOut,
    DataIn,
    DataOut,

    /// <summary>Ours: the lines that somebody asked the device for.</summary>
    Logs,
}

/// <summary>
/// The paths that exist for devices: the original's four, and one of ours. The id is as the client wrote it, in lower case, and may be anything without a slash.
/// </summary>
/// <param name="Stream">The last part of the path of <see cref="EdgeEndpoint.Logs"/>.</param>
internal readonly record struct EdgeRoute(EdgeEndpoint Endpoint, string DeviceId, string Stream = "")
{
    public const string Prefix = "/api/flotta-management/v1/";

    public string Method => Endpoint is EdgeEndpoint.ControlIn or EdgeEndpoint.DataIn ? "GET" : "POST";

    /// <param name="expected">The id that it most likely is; spares its copy.</param>
    public static EdgeRoute? Find(ReadOnlySpan<char> path, string? expected = null)
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
        if (id.Contains('/') || Endpoints(path[..first], path[(last + 1)..]) is not { } endpoint)
            return null;
        var stream = endpoint == EdgeEndpoint.Logs ? path[(last + 1)..].ToString() : "";
        return new EdgeRoute(endpoint, expected != null && id.SequenceEqual(expected) ? expected : id.ToString().ToLowerInvariant(), stream);
    }

    private static EdgeEndpoint? Endpoints(ReadOnlySpan<char> channel, ReadOnlySpan<char> direction) => channel switch
    {
        "control" when direction is "in" => EdgeEndpoint.ControlIn,
        "control" when direction is "out" => EdgeEndpoint.ControlOut,
        "data" when direction is "in" => EdgeEndpoint.DataIn,
        "data" when direction is "out" => EdgeEndpoint.DataOut,
        "logs" when direction.Length == 32 => EdgeEndpoint.Logs,
        _ => null,
    };
}
