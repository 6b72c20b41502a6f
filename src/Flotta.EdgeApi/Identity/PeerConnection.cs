using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Flotta.EdgeApi.Identity;

/// <summary>
/// The peer of a connection, read from its certificate once, when the handshake is over. One certificate opens no more connections than makes sense; counted by the
/// certificate itself and not by the name in it, which anybody can write into one of his own.
/// </summary>
internal sealed class PeerConnection(int most)
{
    private static readonly object Key = new();
    private readonly ConcurrentDictionary<string, int> open = new(StringComparer.Ordinal);

    public static Peer? Of(HttpContext http) => http.Features.Get<IConnectionItemsFeature>()?.Items.TryGetValue(Key, out var peer) == true ? (Peer?)peer : null;

    /// <summary>Middleware that comes after TLS.</summary>
    public Func<ConnectionDelegate, ConnectionDelegate> Remember => next => async connection =>
    {
        if (connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate is not { } leaf || Read(leaf) is not { } peer)
        {
            await next(connection);
            return;
        }

        connection.Items[Key] = peer;
        if (peer.IsBootstrap)
        {
            await next(connection);
            return;
        }

        var certificate = leaf.Thumbprint;
        try
        {
            if (open.AddOrUpdate(certificate, 1, static (_, count) => count + 1) <= most)
                await next(connection);
            else
                connection.Abort(new ConnectionAbortedException("too many connections of one certificate"));
        }
        finally
        {
            Release(certificate);
        }
    };

    private void Release(string certificate)
    {
        while (open.TryGetValue(certificate, out var count))
        {
            if (count > 1 ? open.TryUpdate(certificate, count - 1, count) : open.TryRemove(KeyValuePair.Create(certificate, count)))
                return;
        }
    }

    private static Peer? Read(X509Certificate2 leaf)
    {
        try
        {
            return new Peer(leaf);
        }
        catch (System.Security.Cryptography.CryptographicException)
        {
            return null; // a name that cannot be read is nobody's
        }
    }
}
