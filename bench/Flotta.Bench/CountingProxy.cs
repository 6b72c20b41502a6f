using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Flotta.Bench;

/// <summary>Stands between a device and the Edge API and counts what goes over the wire, TLS and all, in both directions.</summary>
internal sealed class CountingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly string _server;
    private readonly List<(long At, bool Up, int Bytes)> _pieces = [];
    private readonly List<TcpClient> _devices = [];

    public CountingProxy(string server)
    {
        _server = server;
        _listener.Start();
        _ = AcceptAsync();
    }

    public string Address => _listener.LocalEndpoint.ToString()!;

    /// <summary>The same by a name, as TLS needs to resume a session.</summary>
    public string Name => $"localhost:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>What has passed so far.</summary>
    public Traffic[] Pieces
    {
        get
        {
            lock (_pieces)
                return [.. _pieces.Select(piece => new Traffic(piece.At, piece.Up, piece.Bytes))];
        }
    }

    public long Bytes => Pieces.Sum(piece => (long)piece.Bytes);

    /// <summary>Ends every connection that there is.</summary>
    public void Cut()
    {
        lock (_pieces)
        {
            foreach (var device in _devices)
                device.Close();
            _devices.Clear();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var device = await _listener.AcceptTcpClientAsync(_stop.Token);
            lock (_pieces)
                _devices.Add(device);
            _ = CarryAsync(device);
        }
    }

    private async Task CarryAsync(TcpClient device)
    {
        using var server = new TcpClient();
        using (device)
        {
            try
            {
                device.NoDelay = server.NoDelay = true;
                await server.ConnectAsync(IPEndPoint.Parse(_server), _stop.Token);
                await Task.WhenAny(CopyAsync(device.GetStream(), server.GetStream(), up: true), CopyAsync(server.GetStream(), device.GetStream(), up: false));
            }
            catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // The one side or the other has gone.
            }
        }
    }

    private async Task CopyAsync(NetworkStream from, NetworkStream to, bool up)
    {
        var buffer = new byte[65_536];
        int read;
        while ((read = await from.ReadAsync(buffer, _stop.Token)) > 0)
        {
            lock (_pieces)
                _pieces.Add((Stopwatch.GetTimestamp(), up, read));
            await to.WriteAsync(buffer.AsMemory(0, read), _stop.Token);
        }
    }
}

internal sealed record Traffic(long At, bool Up, int Bytes);
