using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Flotta.EdgeApi.Identity;

/// <summary>The peer of a connection, read from its certificate once, when the handshake is over.</summary>
internal static class PeerConnection
{
    private static readonly object Key = new();

    public static Peer? Of(HttpContext http) => http.Features.Get<IConnectionItemsFeature>()?.Items.TryGetValue(Key, out var peer) == true ? (Peer?)peer : null;

    /// <summary>Middleware that comes after TLS.</summary>
    public static Func<ConnectionDelegate, ConnectionDelegate> Remember => next => connection =>
    {
        if (connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate is { } leaf)
            connection.Items[Key] = Read(leaf);
        return next(connection);
    };

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
