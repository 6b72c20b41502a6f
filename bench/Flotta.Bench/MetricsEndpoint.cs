using System.Diagnostics;
using System.Net;
using System.Text;
using Flotta.EndToEnd;

namespace Flotta.Bench;

/// <summary>Where an agent scrapes the mix, at this machine's own address, as that of a workload in the host's network is.</summary>
internal sealed class MetricsEndpoint : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly MetricsMix _mix = new();
    private readonly Task _serving;
    private int _scrapes;

    public MetricsEndpoint()
    {
        _listener.Prefixes.Add($"http://127.0.0.1:{Port}/");
        _listener.Start();
        _serving = ServeAsync();
    }

    public int Port { get; } = FreePort.Next();

    public int Scrapes => Volatile.Read(ref _scrapes);

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _serving;
        _listener.Close();
    }

    private async Task ServeAsync()
    {
        var last = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                var context = await _listener.GetContextAsync();
                var body = Encoding.UTF8.GetBytes(_mix.After(Stopwatch.GetElapsedTime(last)));
                last = Stopwatch.GetTimestamp();
                context.Response.ContentType = "text/plain; version=0.0.4";
                await context.Response.OutputStream.WriteAsync(body);
                context.Response.Close();
                Interlocked.Increment(ref _scrapes);
            }
            catch (Exception) when (!_listener.IsListening)
            {
                return;
            }
            catch (HttpListenerException)
            {
                // The agent went away in the midst of it.
            }
        }
    }
}
