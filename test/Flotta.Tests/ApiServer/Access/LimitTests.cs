using System.Net.Sockets;
using System.Text;
using Flotta.ApiServer.Access.Fairness;

namespace Flotta.Tests.ApiServer.Access;

public sealed class LimitTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Who_has_too_many_watches_is_told_when_to_come_again_and_can_still_read()
    {
        await using var server = await OpenServer.StartAsync(folder.Path, options: one => one with { Limits = new FairShareLimits { WatchesEach = 1 } });
        using var http = RunningApiServer.ClientOf(RunningApiServer.ConfigurationOf(server.Server, "watcher"));
        var watch = new Uri(server.Server.Address, "/api/v1/namespaces?watch=true");
        using var first = await http.GetAsync(watch, HttpCompletionOption.ResponseHeadersRead);
        ((int)first.StatusCode).ShouldBe(200);
        using var second = await http.GetAsync(watch, HttpCompletionOption.ResponseHeadersRead);
        ((int)second.StatusCode).ShouldBe(429);
        second.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(1));
        (await second.Content.ReadAsStringAsync()).ShouldContain("\"reason\":\"TooManyRequests\"");
        using var read = await http.GetAsync(new Uri(server.Server.Address, "/api/v1/namespaces"));
        ((int)read.StatusCode).ShouldBe(200);
    }

    [Fact]
    public async Task One_client_whose_bodies_never_end_does_not_keep_others_from_working()
    {
        await using var server = await OpenServer.StartAsync(
            folder.Path, options: one => one with { Limits = new FairShareLimits { Working = 4, WorkingEach = 2, WaitingEach = 2 } });
        using var slow = RunningApiServer.ClientOf(RunningApiServer.ConfigurationOf(server.Server, "slow"));
        using var stop = new CancellationTokenSource();
        var stuck = Enumerable.Range(0, 4).Select(_ => SendForEverAsync()).ToList();
        // Two are worked on, two wait, and the next is told to come again; before all four have come it may wait itself.
        await Eventually.True(async () =>
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
            try
            {
                using var refused = await slow.GetAsync(new Uri(server.Server.Address, "/version"), patience.Token);
                return (int)refused.StatusCode == 429;
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        });
        (await server.Admin.GetAsync("/api/v1/namespaces")).Code.ShouldBe(200);
        await stop.CancelAsync();
        foreach (var one in stuck)
            await one.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // Told to come again (because the question was there first), they do, and at once: they ask before they send.
        async Task SendForEverAsync()
        {
            while (!stop.IsCancellationRequested)
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server.Server.Address, "/api/v1/namespaces")) { Content = new EndlessContent(stop.Token) };
                request.Headers.ExpectContinue = true;
                using var answer = await slow.SendAsync(request, CancellationToken.None);
                await Task.Delay(20, stop.Token);
            }
        }
    }

    [Fact]
    public async Task A_body_of_three_mebibytes_and_a_byte_is_too_large()
    {
        await using var server = await OpenServer.StartAsync(folder.Path);
        var refused = await server.Admin.PostAsync("/api/v1/namespaces/default/configmaps", new string(' ', 3 * 1024 * 1024 + 1));
        (refused.Code, refused.Reason, refused.Message).ShouldBe((413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728"));
    }

    [Fact]
    public async Task Connections_beyond_the_bound_are_closed_and_a_free_place_is_given_again()
    {
        await using var server = await OpenServer.StartAsync(folder.Path, options: one => one with { MaxConnections = 3 });
        var open = new List<TcpClient>();
        for (var i = 0; i < 4; i++)
            open.Add(await ConnectAsync());
        // Which one of them is decided when they are taken in, side by side.
        (await await Task.WhenAny(open.Select(IsClosedAsync))).ShouldBeTrue();
        (await WorksAsync()).ShouldBeFalse();
        open.ForEach(one => one.Dispose());
        await Eventually.True(async () => await WorksAsync());

        async Task<TcpClient> ConnectAsync()
        {
            var client = new TcpClient();
            await client.ConnectAsync(server.Server.Address.Host, server.Server.Address.Port);
            return client;
        }

        async Task<bool> WorksAsync()
        {
            try
            {
                return (await server.Admin.GetAsync("/version")).Code == 200;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }
    }

    private static async Task<bool> IsClosedAsync(TcpClient client)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            return await client.GetStream().ReadAsync(new byte[1], limit.Token) == 0;
        }
        catch (IOException)
        {
            return true;
        }
    }

    private sealed class EndlessContent(CancellationToken stop) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context)
        {
            await stream.WriteAsync(Encoding.UTF8.GetBytes("{"));
            await stream.FlushAsync();
            await Task.Delay(Timeout.InfiniteTimeSpan, stop);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
