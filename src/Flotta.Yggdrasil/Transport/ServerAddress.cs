namespace Flotta.Yggdrasil.Transport;

/// <summary>Where one device's four endpoints are: <c>https://{server}/{path-prefix}/{channel}/{client-id}/{direction}</c>.</summary>
public sealed class ServerAddress
{
    private readonly Uri _streams;
    private readonly Uri _controlIn;
    private readonly Uri _controlOut;
    private readonly Uri _dataIn;
    private readonly Uri _dataOut;

    /// <param name="server">Bare <c>host:port</c>, as in yggdrasil's configuration; <c>https://</c> in front is tolerated.</param>
    /// <exception cref="FormatException">The message is a sentence for a person.</exception>
    public ServerAddress(string server, string pathPrefix, string clientId)
    {
        var bare = server.StartsWith("https://", StringComparison.OrdinalIgnoreCase) ? server["https://".Length..].TrimEnd('/') : server;
        if (bare.Contains("://", StringComparison.Ordinal))
            throw new FormatException($"The server \"{server}\" must be host:port; the protocol is always https.");
        if (bare.AsSpan().ContainsAny("/?#@ ") || !Uri.TryCreate($"https://{bare}/", UriKind.Absolute, out var host) || host.Host.Length == 0)
            throw new FormatException($"The server \"{server}\" is not of the form host:port.");
        Server = bare;
        var prefix = string.Join('/', pathPrefix.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(Uri.EscapeDataString));
        Uri At(string channel, string direction) => new(host, $"{prefix}/{channel}/{Uri.EscapeDataString(clientId)}/{direction}");
        _streams = new Uri(host, $"{prefix}/logs/{Uri.EscapeDataString(clientId)}/");
        _controlIn = At("control", "in");
        _controlOut = At("control", "out");
        _dataIn = At("data", "in");
        _dataOut = At("data", "out");
    }

    public string Server { get; }

    /// <summary>Ours: where the lines that the server asked for under this name go.</summary>
    public Uri Stream(string name) => new(_streams, Uri.EscapeDataString(name));

    public Uri In(Channel channel) => channel == Channel.Control ? _controlIn : _dataIn;

    public Uri Out(Channel channel) => channel == Channel.Control ? _controlOut : _dataOut;
}
