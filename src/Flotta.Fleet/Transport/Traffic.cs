namespace Flotta.Fleet.Transport;

/// <summary>Bytes and connections of the whole fleet.</summary>
internal sealed class Traffic
{
    private long _sent;
    private long _received;
    private long _connections;

    public long BytesSent => Volatile.Read(ref _sent);

    public long BytesReceived => Volatile.Read(ref _received);

    public long Connections => Volatile.Read(ref _connections);

    public void Connected() => Interlocked.Increment(ref _connections);

    public void Sent(int bytes) => Interlocked.Add(ref _sent, bytes);

    public void Received(int bytes) => Interlocked.Add(ref _received, bytes);

    public void Reset()
    {
        Volatile.Write(ref _sent, 0);
        Volatile.Write(ref _received, 0);
        Volatile.Write(ref _connections, 0);
    }
}
