using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Flotta.ApiServer.Access.Fairness;
using Flotta.Tests.ApiServer.Access;

namespace Flotta.Tests.ApiServer;

/// <summary>A request from within the process is like any other: the same rights, the same answers, the same log.</summary>
public sealed class InsideDoorTests : IAsyncLifetime
{
    private const int Watches = 20;
    private const string Secrets = "/api/v1/namespaces/default/secrets";
    private const string ConfigMaps = "/api/v1/namespaces/default/configmaps";

    private readonly TemporaryFolder folder = new();
    private OpenServer server = null!;
    private HttpClient worker = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        server = await OpenServer.StartAsync(folder.File("data"), options: one => one with { Limits = new FairShareLimits { WatchesEach = Watches } });
        await server.Admin.PostAsync(
            "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles",
            """{"metadata":{"name":"maps"},"rules":[{"apiGroups":[""],"resources":["configmaps"],"verbs":["*"]}]}""");
        await server.Admin.PostAsync(
            "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings",
            """
            {"metadata":{"name":"maps"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"maps"},
             "subjects":[{"kind":"ServiceAccount","name":"worker","namespace":"flotta"}]}
            """);
        worker = Inside("worker");
    }

    public async ValueTask DisposeAsync()
    {
        worker.Dispose();
        await server.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task An_account_has_its_own_rights_and_stands_in_the_audit_log()
    {
        using var stranger = Inside("stranger");
        (await worker.GetAsync(ConfigMaps, Cancellation)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await worker.GetAsync(Secrets, Cancellation)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await stranger.GetAsync(ConfigMaps, Cancellation)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await worker.GetAsync("/healthz", Cancellation)).StatusCode.ShouldBe(HttpStatusCode.OK);
        await server.DisposeAsync();

        var lines = (await File.ReadAllLinesAsync(folder.File("data/audit.log"), Cancellation)).Select(line => JsonNode.Parse(line)!).Where(line => line["user"]!.ToString().StartsWith("system:serviceaccount:", StringComparison.Ordinal));
        lines.Select(line => $"{line["user"]} {line["verb"]} {line["resource"]} {line["code"]} {line["source"]}").ShouldBe(
        [
            "system:serviceaccount:flotta:worker list configmaps 200 127.0.0.1",
            "system:serviceaccount:flotta:worker list secrets 403 127.0.0.1",
            "system:serviceaccount:flotta:stranger list configmaps 403 127.0.0.1",
        ]);
    }

    [Fact]
    public async Task Large_objects_go_in_and_out_whole_and_too_large_ones_are_refused()
    {
        var text = new string('x', 900_000);
        (await worker.PostAsync(ConfigMaps, Json($$$"""{"metadata":{"name":"large"},"data":{"text":"{{{text}}}"}}"""), Cancellation)).StatusCode.ShouldBe(HttpStatusCode.Created);
        var read = JsonNode.Parse(await worker.GetStringAsync(ConfigMaps + "/large", Cancellation))!;
        read["data"]!["text"]!.ToString().ShouldBe(text);
        (await worker.PostAsync(ConfigMaps, Json($$$"""{"metadata":{"name":"larger"},"data":{"text":"{{{new string('x', 5_000_000)}}}"}}"""), Cancellation)).StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
    }

    [Fact]
    public async Task A_watch_tells_of_each_change_at_once_and_in_order_and_ends_with_the_server()
    {
        using var response = await worker.GetAsync(ConfigMaps + "?watch=true&resourceVersion=0", HttpCompletionOption.ResponseHeadersRead, Cancellation);
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(Cancellation));
        for (var number = 0; number < 300; number++)
            (await worker.PostAsync(ConfigMaps, Json($$$"""{"metadata":{"name":"n-{{{number}}}"},"data":{"text":"{{{new string('x', 2000)}}}"}}"""), Cancellation)).EnsureSuccessStatusCode();
        for (var number = 0; number < 300; number++)
        {
            var line = await lines.ReadLineAsync(Cancellation).AsTask().WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
            JsonNode.Parse(line!)!["object"]!["metadata"]!["name"]!.ToString().ShouldBe($"n-{number}");
        }

        var rest = lines.ReadLineAsync(Cancellation).AsTask();
        rest.IsCompleted.ShouldBeFalse();
        await server.Server.DisposeAsync();
        try
        {
            (await rest.WaitAsync(TimeSpan.FromSeconds(20), Cancellation)).ShouldBeNull();
        }
        catch (Exception ended) when (ended is IOException or OperationCanceledException)
        {
            // Cut off: ended all the same.
        }
    }

    [Fact]
    public async Task A_watcher_that_goes_away_is_not_waited_for()
    {
        for (var round = 0; round < 5 * Watches; round++)
        {
            using var leave = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            HttpResponseMessage? response = null;
            // Who has just gone may be counted for a moment longer.
            await Eventually.True(async () =>
            {
                response?.Dispose();
                response = await worker.GetAsync(ConfigMaps + "?watch=true", HttpCompletionOption.ResponseHeadersRead, leave.Token);
                return response.StatusCode != HttpStatusCode.TooManyRequests;
            });
            response!.EnsureSuccessStatusCode();
            await leave.CancelAsync();
            response.Dispose();
        }
    }

    private HttpClient Inside(string account) => new(server.Server.AccountHandler("flotta", account)) { BaseAddress = server.Server.Address };

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");
}
