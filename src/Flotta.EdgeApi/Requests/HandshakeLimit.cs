using Microsoft.AspNetCore.Connections;

namespace Flotta.EdgeApi.Requests;

/// <summary>
/// Handshakes cost milliseconds of CPU each. When a fleet comes back at once they take turns, instead of all timing out together. Whoever has waited for a while goes ahead
/// all the same: connections that never finish their handshake may slow the others down, but not keep them out.
/// </summary>
internal sealed class HandshakeLimit(int most, TimeSpan patience) : IDisposable
{
    private static readonly object Key = new();

    private readonly SemaphoreSlim slots = new(most);

    /// <summary>Middleware that comes before TLS.</summary>
    public Func<ConnectionDelegate, ConnectionDelegate> Begin => next => async connection =>
    {
        Slot? slot;
        try
        {
            slot = await slots.WaitAsync(patience, connection.ConnectionClosed) ? new Slot(slots) : null;
        }
        catch (OperationCanceledException)
        {
            return; // it did not wait
        }
        if (slot != null)
            connection.Items[Key] = slot;
        try
        {
            await next(connection);
        }
        finally
        {
            slot?.Free();
        }
    };

    /// <summary>Middleware that comes after TLS.</summary>
    public static Func<ConnectionDelegate, ConnectionDelegate> End => next => connection =>
    {
        if (connection.Items.TryGetValue(Key, out var slot))
            ((Slot)slot!).Free();
        return next(connection);
    };

    public void Dispose() => slots.Dispose();

    private sealed class Slot(SemaphoreSlim slots)
    {
        private int freed;

        public void Free()
        {
            if (Interlocked.Exchange(ref freed, 1) == 0)
                slots.Release();
        }
    }
}
