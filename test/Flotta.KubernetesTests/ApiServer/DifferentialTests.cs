using System.Net.Http.Headers;
using System.Text;
using Flotta.ApiServer;
using k8s;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.KubernetesTests.ApiServer;

/// <summary>The embedded server and a real one are asked the same; what they answer is compared.</summary>
public sealed class DifferentialTests(UntouchedServer untouched) : IClassFixture<UntouchedServer>
{
    public static TheoryData<string> Scripts => [.. Directory.GetFiles(ScriptedRequest.Folder, "*.http").Select(file => Path.GetFileNameWithoutExtension(file)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Scripts))]
    public async Task Both_servers_answer_a_script_the_same(string script)
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var real = Client(untouched.Server.Kubeconfig("admin", "system:masters"));
        var folder = Directory.CreateTempSubdirectory("flotta-differential-");
        try
        {
            await using var server = await EmbeddedApiServer.StartAsync(
                new ApiServerOptions { DataDirectory = Path.Combine(folder.FullName, "data"), Port = 0 }, NullLoggerFactory.Instance, TimeProvider.System, cancellation);
            using var ours = Client(server.Kubeconfig("admin", "system:masters"));
            var space = $"s-{script}";
            foreach (var client in (k8s.Kubernetes[])[real, ours]) await PrepareAsync(client, space, cancellation);
            var surprises = new List<string>();
            foreach (var request in ScriptedRequest.Read(script, space))
            {
                var theirs = await SendAsync(real, request, script, cancellation);
                var answer = await SendAsync(ours, request, script, cancellation);
                for (var again = 0; again < 50 && request.Differs is null && answer != theirs && MayBeLate(request, theirs); again++)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(100), cancellation);
                    theirs = await SendAsync(real, request, script, cancellation);
                }

                if (request.Differs is null && answer != theirs) surprises.Add($"{request}\n  real: {theirs}\n  ours: {answer}");
                if (request.Differs is not null && answer == theirs) surprises.Add($"{request}\n  no longer differs: {request.Differs}");
            }

            surprises.ShouldBeEmpty();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // The real one hears of roles and bindings through watches of its own, a moment after they are written; what it refuses and what only reads can be asked again.
    private static bool MayBeLate(ScriptedRequest request, string theirs) =>
        request.As is not null && (request.Method == HttpMethod.Get || theirs.StartsWith("403 ", StringComparison.Ordinal));

    private static k8s.Kubernetes Client(string kubeconfig)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(kubeconfig));
        return new k8s.Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(stream));
    }

    private static async Task PrepareAsync(k8s.Kubernetes client, string space, CancellationToken cancellation)
    {
        await SendAsync(client, new(HttpMethod.Post, "/api/v1/namespaces", null, null, $$$"""{"metadata":{"name":"{{{space}}}"}}""", null), "", cancellation);
        foreach (var file in Directory.GetFiles(ScriptedRequest.Folder, "*.crd.json"))
        {
            var body = await File.ReadAllTextAsync(file, cancellation);
            await SendAsync(client, new(HttpMethod.Post, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", null, null, body, null), "", cancellation);
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        foreach (var path in (string[])["/apis/example.com/v1/widgets", "/apis/ex2.com/v1/gizmos", "/apis/ex3.com/v1/dials"])
        {
            while (!(await SendAsync(client, new(HttpMethod.Get, path, null, null, null, null), "", limit.Token)).StartsWith("200 ", StringComparison.Ordinal))
                await Task.Delay(TimeSpan.FromMilliseconds(100), limit.Token);
        }
    }

    // The real one answers a few requests by ending the connection.
    private static async Task<HttpResponseMessage?> SendAsync(k8s.Kubernetes client, HttpRequestMessage message, CancellationToken cancellation)
    {
        try
        {
            return await client.HttpClient.SendAsync(message, cancellation);
        }
        catch (HttpRequestException e) when (e.InnerException is HttpIOException)
        {
            return null;
        }
    }

    private static async Task<string> SendAsync(k8s.Kubernetes client, ScriptedRequest request, string script, CancellationToken cancellation)
    {
        using var message = new HttpRequestMessage(request.Method, new Uri(client.BaseUri, request.Path));
        message.Headers.TryAddWithoutValidation("Accept", request.Accept ?? "*/*");
        message.Headers.TryAddWithoutValidation("User-Agent", "script/1");
        if (request.As?.Split(' ') is [var user, .. var groups])
        {
            message.Headers.TryAddWithoutValidation("Impersonate-User", user);
            message.Headers.TryAddWithoutValidation("Impersonate-Group", groups);
        }

        if (request.Body is not null)
        {
            message.Content = new StringContent(request.Body, Encoding.UTF8);
            message.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(request.ContentType ?? "application/json");
        }

        using var response = await SendAsync(client, message, cancellation);
        if (response is null) return "no answer";
        return Answered.Of((int)response.StatusCode, await response.Content.ReadAsStringAsync(cancellation), owners: script == "apply");
    }
}
