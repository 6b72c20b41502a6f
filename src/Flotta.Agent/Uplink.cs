using Flotta.Yggdrasil.Credentials;
using Flotta.Yggdrasil.Transport;

namespace Flotta.Agent;

/// <summary>How the device and its server talk: directly, or through a daemon.</summary>
internal sealed record Uplink
{
    public required IOutbound Outbound { get; init; }

    public required ILink Link { get; init; }

    /// <summary>The certificate to enrol with, read anew each time.</summary>
    public required Func<Identity> Bootstrap { get; init; }

    /// <summary>Who may sign this device's certificates.</summary>
    public required Func<Roots> Roots { get; init; }

    /// <summary>For the log.</summary>
    public required string Name { get; init; }

    /// <summary>The server has taken a heartbeat over this.</summary>
    public Action Proven { get; init; } = static () => { };

    /// <summary>The device was let go: what was changed for its sake is changed back.</summary>
    public Action Left { get; init; } = static () => { };
}

/// <summary>The way in: configurations and commands.</summary>
internal interface ILink
{
    /// <summary>While the server holds a request, and so knows that this device is there: a number that changes when that was interrupted.</summary>
    long? Holding { get; }

    /// <summary>Something hints that there is a command.</summary>
    void AskNow();

    /// <summary>Hands on configurations until a command ends it.</summary>
    Task<ControlEnd> RunAsync(IDataReceiver receiver, string commonName, CancellationToken cancellationToken);
}
