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

    /// <summary>Workers of the daemon are told the headers of each answer; the agent has no use for them.</summary>
    public bool KeepHeaders { get; init; }

    /// <summary>Takes the place of the host in every absolute address that a worker or the server names.</summary>
    public string? DataHost { get; init; }

    /// <summary>Ping a connection on which a request waits; off where each byte is paid for.</summary>
    public bool KeepAlive { get; init; } = true;

    /// <summary>How long a heartbeat that says nothing new need not be repeated, if the server agrees; null asks for nothing.</summary>
    public TimeSpan? Quiet { get; init; }

    /// <summary>Take configurations packed where the server packs them.</summary>
    public bool Packed { get; init; }

    /// <summary>Ten times the largest configuration that anybody should send.</summary>
    public int LargestBody { get; init; } = 16 << 20;
}
