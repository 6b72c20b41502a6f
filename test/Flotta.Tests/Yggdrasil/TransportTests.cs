using Flotta.Tests.Agent;
using Flotta.Wire;
using Flotta.Yggdrasil.Credentials;
using Flotta.Yggdrasil.Transport;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Yggdrasil;

public sealed class TransportTests
{
    private static readonly Message Beat = Message.Data(Directives.Heartbeat, null, TestAuthority.Now);

    [Fact]
    public async Task A_heartbeat_does_not_wait_for_a_held_request_and_uses_the_same_connection()
    {
        await using var server = await EdgeStandIn.StartAsync();
        using var transport = Transport(server);
        var connections = new HashSet<string>();
        var hold = new TaskCompletionSource();
        server.Instead = async (seen, context) =>
        {
            lock (connections)
                connections.Add(context.Connection.Id);
            if (seen.What == "data/in")
                await hold.Task;
            return false;
        };
        var held = transport.GetAsync(Channel.Data, "\"1\"", TimeSpan.FromSeconds(240), CancellationToken.None);
        await server.SeesAsync("data/in");
        (await transport.PostAsync(Channel.Data, Beat, CancellationToken.None)).Status.ShouldBe(200);
        held.IsCompleted.ShouldBeFalse();
        connections.Count.ShouldBe(1);
        hold.SetResult();
        await held;
    }

    [Fact]
    public async Task A_connection_anew_to_a_server_with_a_name_resumes_the_session_and_needs_no_certificates()
    {
        await using var server = await EdgeStandIn.StartAsync();
        using var transport = Transport(server, address: server.NamedAddress);
        foreach (var number in (int[])[1, 2])
        {
            (await transport.GetAsync(Channel.Control, null, null, CancellationToken.None)).Status.ShouldBe(200);
            server.BytesSent.Length.ShouldBe(number);
            transport.Renew();
        }

        // A chain of one certificate, and the proof of it, are some 700 bytes.
        (server.BytesSent[0] - server.BytesSent[1]).ShouldBeGreaterThan(400);
        server.Requests.Select(seen => seen.Certificate.SerialNumber).Distinct().ShouldBe([transport.Identity!.Certificate.SerialNumber]);
    }

    [Fact]
    public async Task A_session_of_one_identity_is_not_resumed_for_another()
    {
        await using var server = await EdgeStandIn.StartAsync();
        using var transport = Transport(server, address: server.NamedAddress);
        (await transport.GetAsync(Channel.Control, null, null, CancellationToken.None)).Status.ShouldBe(200);
        var second = Issue(server);
        transport.Use(second);
        (await transport.GetAsync(Channel.Control, null, null, CancellationToken.None)).Status.ShouldBe(200);
        server.Requests.Last().Certificate.SerialNumber.ShouldBe(second.Certificate.SerialNumber);
        Math.Abs(server.BytesSent[0] - server.BytesSent[1]).ShouldBeLessThan(200);
    }

    [Fact]
    public async Task Another_identity_takes_over_while_a_request_under_way_finishes_with_the_one_before()
    {
        await using var server = await EdgeStandIn.StartAsync();
        using var transport = Transport(server);
        var hold = new TaskCompletionSource();
        server.Instead = async (seen, context) =>
        {
            if (seen.What == "data/in")
                await hold.Task;
            return false;
        };
        server.Configure("{}", "2");
        server.Holds = false;
        var held = transport.GetAsync(Channel.Data, null, null, CancellationToken.None);
        await server.SeesAsync("data/in");
        var second = Issue(server);
        transport.Use(second);
        await transport.PostAsync(Channel.Data, Beat, CancellationToken.None);
        (await server.SeesAsync(Directives.Heartbeat)).Certificate.SerialNumber.ShouldBe(second.Certificate.SerialNumber);
        hold.SetResult();
        (await held).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_server_of_another_ca_is_told_apart_from_one_that_is_down()
    {
        await using var server = await EdgeStandIn.StartAsync();
        using var transport = Transport(server, Roots.FromPem(new TestAuthority().Pem));
        (await transport.GetAsync(Channel.Control, null, null, CancellationToken.None)).Problem.ShouldBe("its certificate is not signed by a CA of ca-root");
        await server.DisposeAsync();
        (await transport.GetAsync(Channel.Control, null, null, CancellationToken.None)).Problem.ShouldNotBeNull().ShouldContain("refused");
        server.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_given_up_in_time()
    {
        await using var server = await EdgeStandIn.StartAsync();
        var time = new FakeTimeProvider();
        using var transport = Transport(server, time: time);
        server.Instead = async (_, context) =>
        {
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
            return true;
        };
        var asked = transport.PostAsync(Channel.Data, Beat, CancellationToken.None);
        await server.SeesAsync(Directives.Heartbeat);
        asked.IsCompleted.ShouldBeFalse();
        time.Advance(TimeSpan.FromSeconds(31));
        (await asked).Problem.ShouldBe("it does not answer in time");
        server.Instead = null;
        (await transport.PostAsync(Channel.Data, Beat, CancellationToken.None)).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Another_host_that_fails_says_nothing_of_the_server_or_the_connection_to_it()
    {
        await using var server = await EdgeStandIn.StartAsync();
        await using var other = await EdgeStandIn.StartAsync(server.Authority);
        var time = new FakeTimeProvider();
        using var transport = Transport(server, time: time);
        var (reached, unauthorized) = (new List<bool>(), 0);
        transport.ReachabilityChanged += reached.Add;
        transport.Unauthorized += _ => unauthorized++;
        (await transport.GetAsync(Channel.Control, null, null, CancellationToken.None)).Status.ShouldBe(200);

        other.Instead = async (seen, context) =>
        {
            if (seen.Method == "GET")
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
            context.Response.StatusCode = 401;
            return true;
        };
        var uri = new Uri($"https://{other.Address}/one/two/three/four");
        (await transport.PostToAsync(uri, "{}"u8.ToArray(), new Dictionary<string, string>(StringComparer.Ordinal), CancellationToken.None)).Status.ShouldBe(401);
        var fetched = transport.FetchAsync(uri, CancellationToken.None);
        await other.SeesAsync(seen => seen.Method == "GET");
        time.Advance(TimeSpan.FromSeconds(31));
        (await fetched).Problem.ShouldBe("it does not answer in time");
        await other.DisposeAsync();
        (await transport.FetchAsync(uri, CancellationToken.None)).Problem.ShouldNotBeNull();

        (await transport.GetAsync(Channel.Control, null, null, CancellationToken.None)).Status.ShouldBe(200);
        server.BytesSent.Length.ShouldBe(1, "the connection is the one from before");
        (reached.SequenceEqual([true]), unauthorized).ShouldBe((true, 0));
    }

    [Fact]
    public async Task An_answer_without_end_is_cut_off()
    {
        await using var server = await EdgeStandIn.StartAsync();
        using var transport = Transport(server);
        server.Instead = async (_, context) =>
        {
            var chunk = new byte[65_536];
            while (!context.RequestAborted.IsCancellationRequested)
                await context.Response.Body.WriteAsync(chunk, context.RequestAborted);
            return true;
        };
        (await transport.GetAsync(Channel.Data, null, null, CancellationToken.None)).Problem.ShouldNotBeNull().ShouldContain("larger than");
    }

    [Fact]
    public async Task What_the_server_says_about_pauses_holds_and_tags_is_passed_on()
    {
        await using var server = await EdgeStandIn.StartAsync();
        using var transport = Transport(server);
        server.Instead = (_, context) =>
        {
            context.Response.StatusCode = 503;
            context.Response.Headers.RetryAfter = "7";
            context.Response.Headers.ETag = "\"x\"";
            context.Response.Headers["Preference-Applied"] = "wait=240";
            return Task.FromResult(true);
        };
        var answer = await transport.GetAsync(Channel.Data, "\"y\"", TimeSpan.FromSeconds(240), CancellationToken.None);
        answer.RetryAfter.ShouldBe(TimeSpan.FromSeconds(7));
        answer.ETag.ShouldBe("\"x\"");
        answer.Held.ShouldBeTrue();
        var seen = await server.SeesAsync("data/in");
        seen.Headers["Prefer"].ToString().ShouldBe("wait=240");
        seen.Headers.IfNoneMatch.ToString().ShouldBe("\"y\"");
    }

    [Fact]
    public async Task Being_told_to_stop_is_not_taken_for_a_silent_server()
    {
        await using var server = await EdgeStandIn.StartAsync();
        using var transport = Transport(server);
        server.Instead = async (_, context) =>
        {
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
            return true;
        };
        using var stop = new CancellationTokenSource();
        var asked = transport.GetAsync(Channel.Data, null, null, stop.Token);
        await server.SeesAsync("data/in");
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(asked);
    }

    internal static HttpsTransport Transport(EdgeStandIn server, Roots? roots = null, TimeProvider? time = null, string? address = null)
    {
        var options = new TransportOptions
        {
            Address = new ServerAddress(address ?? server.Address, "api/flotta-management/v1", "dev1"),
            Roots = roots ?? Roots.FromPem(server.Authority.Pem),
        };
        var transport = new HttpsTransport(options, NullLogger<HttpsTransport>.Instance, time ?? TimeProvider.System);
        transport.Use(Issue(server));
        return transport;
    }

    internal static Identity Issue(EdgeStandIn server)
    {
        var (certificate, key) = server.Authority.Issue("CN=dev1, OU=default, O=flotta-operator");
        return Identity.FromPem(certificate, key, "cert", "key");
    }
}
