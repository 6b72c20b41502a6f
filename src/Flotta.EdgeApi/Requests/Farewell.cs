using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Flotta.EdgeApi.Requests;

/// <summary>
/// A server that stops asks each device to move on (GOAWAY) and closes the connection. What the device has just sent would then be answered by the kernel with a reset, which
/// can overtake the request to move on, so that a request is lost instead of sent again elsewhere. So the device is left the moment that it needs to close from its side.
/// </summary>
internal static class Farewell
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(3);
    private static readonly object Key = new();

    /// <summary>Middleware that comes before TLS.</summary>
    public static ConnectionDelegate Say(ConnectionDelegate next) => async connection =>
    {
        await next(connection);
        // Over HTTP/1.1 nobody has been asked to move on, and what is sent now had better fail at once.
        if (connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested.IsCancellationRequested != true
            || !connection.Items.ContainsKey(Key))
            return;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed);
        end.CancelAfter(Longest);
        try
        {
            while (true)
            {
                var read = await connection.Transport.Input.ReadAsync(end.Token);
                if (read.IsCompleted || read.IsCanceled)
                    return;
                // Sent before the device knew; it sends it again where it goes.
                connection.Transport.Input.AdvanceTo(read.Buffer.End);
            }
        }
        catch (Exception over) when (over is OperationCanceledException or IOException or InvalidOperationException)
        {
            // It did not close in time, or it closed with a reset, or there was nothing left to read from.
        }
    };

    /// <summary>Middleware that comes after TLS: only there it can be seen which protocol is spoken.</summary>
    public static ConnectionDelegate Listen(ConnectionDelegate next) => connection =>
    {
        if (connection.Features.Get<ITlsApplicationProtocolFeature>()?.ApplicationProtocol.Span.SequenceEqual("h2"u8) == true)
            connection.Items[Key] = Key;
        return next(connection);
    };
}
