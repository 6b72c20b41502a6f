using Flotta.Yggdrasil.Credentials;

namespace Flotta.Yggdrasil.Transport;

public sealed record TransportOptions
{
    public required ServerAddress Address { get; init; }

    public required Roots Roots { get; init; }

    public string UserAgent { get; init; } = "flotta-agent/0";

    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>For everything from the first byte sent to the last received, on top of what a held request is asked to wait.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Ten times the largest configuration that anybody should send.</summary>
    public int LargestBody { get; init; } = 16 << 20;
}
