using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Flotta.EndToEnd.Faults;

internal enum Fault
{
    None,

    /// <summary>Connections are refused, and those there are end.</summary>
    Cut,

    /// <summary>Connections stay and carry nothing: what a dead router looks like.</summary>
    HalfOpen,

    /// <summary>200 ms for each piece, a few kilobytes a second.</summary>
    Slow,

    /// <summary>Every connection ends after half a second.</summary>
    Flapping,
}

/// <summary>A TCP proxy between device and server that can be made to fail.</summary>
internal sealed class FaultyNetwork : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly IPEndPoint target;
    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentDictionary<Socket, bool> open = new();
    private readonly Task accepting;
    private volatile Fault fault;

    public FaultyNetwork(string server)
    {
        target = IPEndPoint.Parse(server);
        listener.Start();
        accepting = AcceptAsync();
    }

    public string Address => listener.LocalEndpoint.ToString()!;

    public Fault Fault
    {
        get => fault;
        set
        {
            fault = value;
            if (value is Fault.Cut or Fault.Flapping)
                CloseAll();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Stop();
        CloseAll();
        await accepting.ContinueWith(static _ => { }, TaskScheduler.Default);
        stop.Dispose();
    }

    private void CloseAll()
    {
        foreach (var socket in open.Keys)
            socket.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            var near = await listener.AcceptSocketAsync(stop.Token);
            if (fault == Fault.Cut)
                near.Dispose();
            else
                _ = CarryAsync(near);
        }
    }

    private async Task CarryAsync(Socket near)
    {
        var far = new Socket(SocketType.Stream, ProtocolType.Tcp);
        (open[near], open[far]) = (true, true);
        try
        {
            await far.ConnectAsync(target, stop.Token);
            if (fault == Fault.Flapping)
                _ = Task.Delay(500, stop.Token).ContinueWith(_ => near.Dispose(), TaskScheduler.Default);
            await Task.WhenAny(PumpAsync(near, far), PumpAsync(far, near));
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // That is what it is for.
        }
        finally
        {
            near.Dispose();
            far.Dispose();
            open.TryRemove(near, out _);
            open.TryRemove(far, out _);
        }
    }

    private async Task PumpAsync(Socket from, Socket to)
    {
        var buffer = new byte[4096];
        try
        {
            for (var count = await from.ReceiveAsync(buffer, stop.Token); count > 0; count = await from.ReceiveAsync(buffer, stop.Token))
            {
                if (fault == Fault.Slow)
                    await Task.Delay(200, stop.Token);
                while (fault == Fault.HalfOpen)
                    await Task.Delay(50, stop.Token);
                await to.SendAsync(buffer.AsMemory(0, count), stop.Token);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The other end, or the fault, ended it.
        }
    }
}
