using Flotta.Wire;
using Flotta.Yggdrasil.Credentials;

namespace Flotta.Yggdrasil.Transport;

/// <summary>The way out: to the server over TLS, or through a daemon that speaks to it for us.</summary>
public interface IOutbound
{
    /// <summary>The server did not accept this identity (401).</summary>
    event Action<Identity>? Unauthorized;

    Identity? Identity { get; }

    void Use(Identity identity);

    Task<Answer> PostAsync(Channel channel, Message message, CancellationToken cancellationToken);

    /// <summary>One request as somebody else: enrolling with the bootstrap certificate, or asking again with the one before the last.</summary>
    /// <param name="hold">Ask the server to hold its answer this long while it would be that nothing has changed; a way out that cannot ask for that does not.</param>
    Task<Answer> PostAsAsync(Identity identity, Channel channel, Message message, CancellationToken cancellationToken, TimeSpan? hold = null);
}

/// <summary>Where the server is, and who may sign its certificate: changed together, so that either can be taken back.</summary>
public sealed record Endpoint(ServerAddress Address, Roots Roots);
