using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Flotta.Tests.ApiServer;

/// <summary>Whatever is sent is answered, and not by a failure of the server's. With FLOTTA_SOAK=1 for FLOTTA_SOAK_MINUTES (20), each time with other requests.</summary>
public sealed class NonsenseTests : IAsyncLifetime
{
    private const int Short = 4000;

    private int done;

    private readonly RunningApiServer server = new();

    public ValueTask InitializeAsync() => server.InitializeAsync();

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task Whatever_is_sent_is_answered_and_memory_stays_bounded()
    {
        var group = await server.DefineAsync();
        var soak = Environment.GetEnvironmentVariable("FLOTTA_SOAK") == "1";
        var lasting = TimeSpan.FromMinutes(double.Parse(Environment.GetEnvironmentVariable("FLOTTA_SOAK_MINUTES") ?? "20", CultureInfo.InvariantCulture));
        var seed = soak ? Environment.TickCount : 1;
        var nonsense = new Nonsense(seed, group);
        var since = Stopwatch.GetTimestamp();
        var (before, problems, sent) = (0L, new List<string>(), 0);
        for (; soak ? Stopwatch.GetElapsedTime(since) < lasting && problems.Count < 20 : sent < Short; sent++)
        {
            var (request, shown) = nonsense.Next(server.Server.Address);
            using (request)
            {
                if (await ProblemAsync(request) is { } problem)
                    problems.Add($"seed {seed}, request {sent}: {problem}\n{shown}");
            }

            if (sent % 2000 == 1999)
                await ClearAsync(group);
            if (sent == Short / 2)
                before = Used();
        }

        problems.ShouldBeEmpty();
        // Much of it must be sense, or it would be refused at the door and try nothing.
        done.ShouldBeGreaterThan(sent / 10);
        (await server.GetAsync("/readyz")).Code.ShouldBe(200);
        // Histories grow to their bound; nothing else may.
        (Used() - before).ShouldBeLessThan(200L * 1024 * 1024, $"{sent} requests");
        TestContext.Current.SendDiagnosticMessage("{0} requests", sent);
    }

    private async Task<string?> ProblemAsync(HttpRequestMessage request)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        try
        {
            using var response = await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            var text = await response.Content.ReadAsStringAsync(patience.Token);
            var code = (int)response.StatusCode;
            done += code < 300 ? 1 : 0;
            // A version from the future, a scale without replicas, and a webhook that nobody answers for, are answered so by the real server too.
            if (code >= 500 && code != 504 && !text.Contains("replicas field", StringComparison.Ordinal) && !text.Contains("failed calling webhook", StringComparison.Ordinal))
                return $"{code} {text}";
            if (code >= 400 && text.StartsWith('{') && (int?)JsonNode.Parse(text)!["code"] != code)
                return $"{code} but {text}";
            return null;
        }
        catch (HttpRequestException e) when (e.InnerException is null or FormatException)
        {
            // The client itself would not send it.
            return null;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or System.Text.Json.JsonException or IOException)
        {
            return e.ToString();
        }
    }

    private async Task ClearAsync(string group)
    {
        foreach (var path in (string[])["/api/v1/namespaces/default/configmaps", "/api/v1/namespaces/default/secrets", "/api/v1/namespaces/default/events", "/apis/coordination.k8s.io/v1/namespaces/default/leases", $"/apis/{group}/v1/namespaces/default/things", "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"])
            await server.DeleteAsync(path);
    }

    private static long Used()
    {
        GC.Collect();
        return GC.GetTotalMemory(forceFullCollection: true);
    }
}
