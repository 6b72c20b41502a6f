using System.Net;
using System.Net.Sockets;

namespace Flotta.KubernetesTests.Faults;

/// <summary>Spreads TCP connections over replicas in turn, as a Service does; TLS passes through.</summary>
internal sealed class Balancer : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly Task accepting;
    private int[] replicas = [];
    private uint turn;

    public Balancer()
    {
        listener.Start(backlog: 4096);
        accepting = AcceptAsync();
    }

    public string Address => $"127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";

    /// <summary>Where new connections go from now on; those that are open stay where they are.</summary>
    public void Send(params IEnumerable<int> ports) => Volatile.Write(ref replicas, [.. ports]);

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Dispose();
        await accepting;
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var open = new List<Task>();
        try
        {
            while (true)
            {
                var socket = await listener.AcceptSocketAsync(stop.Token);
                open.RemoveAll(one => one.IsCompleted);
                open.Add(Task.Run(() => ServeAsync(socket)));
            }
        }
        catch (Exception stopped) when (stopped is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(open);
        }
    }

    private async Task ServeAsync(Socket device)
    {
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using var _ = device;
        device.NoDelay = true;
        try
        {
            var present = Volatile.Read(ref replicas);
            await server.ConnectAsync(IPAddress.Loopback, present[Interlocked.Increment(ref turn) % present.Length], stop.Token);
            await Task.WhenAll(PumpAsync(device, server, isLast: false), PumpAsync(server, device, isLast: true));
        }
        catch (Exception broken) when (broken is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Nobody listens there any more, and the device sees it.
        }
    }

    /// <param name="isLast">Whether nothing is left to be carried once this direction has broken. What a replica said before it went away reaches the device, as it does through a Service.</param>
    private async Task PumpAsync(Socket from, Socket to, bool isLast)
    {
        var buffer = new byte[4 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, stop.Token) is > 0 and var count)
            {
                try
                {
                    await to.SendAsync(buffer.AsMemory(0, count), stop.Token);
                }
                catch (SocketException) when (!isLast)
                {
                    return;
                }
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception broken) when (broken is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // As a network does it: the other end sees it too.
            from.Dispose();
            to.Dispose();
        }
    }
}
