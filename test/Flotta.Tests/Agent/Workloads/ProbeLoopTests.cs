using System.Net;
using System.Net.Sockets;
using Flotta.Agent.Workloads;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Agent.Workloads;

public sealed class ProbeLoopTests
{
    [Fact]
    public async Task A_probe_that_gets_no_answer_keeps_no_other_waiting()
    {
        using var silent = Listen();
        using var well = Listen();
        var time = new FakeTimeProvider();
        using var podman = new PodmanClient("/nowhere");
        using var stop = new CancellationTokenSource();
        using var loop = new ProbeLoop(podman, new Wake(time), time);
        var hangs = new ContainerProbe("main", ProbeKind.Liveness, new ProbeAction.Http(null, Port(silent), "/", Secure: false, [])) { Timeout = TimeSpan.FromDays(1) };
        var answers = new ContainerProbe("main", ProbeKind.Liveness, new ProbeAction.Tcp(null, Port(well))) { Timeout = TimeSpan.FromDays(1) };
        loop.Watch([new ProbedContainer("c1", "1", "127.0.0.1", [hangs]), new ProbedContainer("c2", "1", "127.0.0.1", [answers])], stop.Token);
        for (var times = 0; times < 3; times++)
        {
            var asked = well.AcceptTcpClientAsync(TestContext.Current.CancellationToken).AsTask();
            await Eventually.True(() =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return asked.IsCompleted;
            });
            (await asked).Dispose();
        }

        await stop.CancelAsync();
        await loop.EndAsync();
    }

    private static TcpListener Listen()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return listener;
    }

    private static int Port(TcpListener listener) => ((IPEndPoint)listener.LocalEndpoint).Port;
}
