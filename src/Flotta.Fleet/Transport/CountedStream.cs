using System.Net.Sockets;

namespace Flotta.Fleet.Transport;

/// <summary>A connection below its TLS whose bytes are counted.</summary>
internal sealed class CountedStream(Socket socket, Traffic traffic) : NetworkStream(socket, ownsSocket: true)
{
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await base.ReadAsync(buffer, cancellationToken);
        traffic.Received(read);
        return read;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        traffic.Sent(buffer.Length);
        return base.WriteAsync(buffer, cancellationToken);
    }
}
