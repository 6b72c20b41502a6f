using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Flotta.ApiServer;
using k8s;
using k8s.Autorest;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.ApiServer;

public sealed class RestartTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Objects_credentials_and_watches_outlive_a_restart()
    {
        k8s.Kubernetes client;
        string seen;
        await using (var first = await StartAsync())
        {
            client = new k8s.Kubernetes(RunningApiServer.ConfigurationOf(first));
            seen = (await client.CoreV1.ListNamespacedConfigMapAsync("default")).ResourceVersion();
            await client.CoreV1.CreateNamespacedConfigMapAsync(new V1ConfigMap { Metadata = new V1ObjectMeta { Name = "a" } }, "default");
            await client.CoreV1.CreateNamespacedConfigMapAsync(new V1ConfigMap { Metadata = new V1ObjectMeta { Name = "b" } }, "default");
            await client.CoreV1.DeleteNamespacedConfigMapAsync("a", "default");
        }

        await using var second = await StartAsync();
        // The certificate of before still counts: the authority is the same.
        var configuration = RunningApiServer.ConfigurationOf(second);
        using var http = client.HttpClient;
        await using var watch = await OpenWatch.StartAsync(
            RunningApiServer.ClientOf(configuration), new Uri(second.Address, $"/api/v1/namespaces/default/configmaps?watch=true&resourceVersion={seen}"));
        (await watch.NextAsync()).ShouldBe("ADDED a");
        (await watch.NextAsync()).ShouldBe("ADDED b");
        (await watch.NextAsync()).ShouldBe("DELETED a");
        using var old = await http.GetAsync(new Uri(second.Address, "/api/v1/namespaces/default/configmaps/b"));
        ((int)old.StatusCode).ShouldBe(200);
    }

    [Fact]
    public async Task A_kill_at_any_moment_loses_no_acknowledged_write_and_no_event()
    {
        var data = folder.File("killed");
        Directory.CreateDirectory(data);
        var acknowledged = new ConcurrentDictionary<string, long>();
        string? seen = null;
        for (var round = 0; round < 4; round++)
        {
            using var child = await ChildApiServer.StartAsync(data);
            using var client = new k8s.Kubernetes(ConfigurationOf(child));
            seen ??= (await client.CoreV1.ListNamespacedConfigMapAsync("default")).ResourceVersion();
            var writers = Enumerable.Range(0, 8).Select(writer => WriteUntilItEndsAsync(client, $"r{round}w{writer}", acknowledged)).ToList();
            var target = acknowledged.Count + 50 + (37 * round);
            await Eventually.True(() => acknowledged.Count > target);
            child.Kill();
            await Task.WhenAll(writers);
        }

        using var last = await ChildApiServer.StartAsync(data);
        using var reader = new k8s.Kubernetes(ConfigurationOf(last));
        var there = (await reader.CoreV1.ListNamespacedConfigMapAsync("default")).Items.ToDictionary(one => one.Name(), one => long.Parse(one.ResourceVersion(), CultureInfo.InvariantCulture));
        foreach (var (name, version) in acknowledged)
            there.GetValueOrDefault(name).ShouldBe(version, name);
        await using var watch = await OpenWatch.StartAsync(reader.HttpClient, new Uri(reader.BaseUri, $"/api/v1/namespaces/default/configmaps?watch=true&resourceVersion={seen}"));
        var told = new List<(string Name, long Version)>();
        while (told.Count < there.Count && await watch.NextAsync() is not null)
        {
            var metadata = watch.Last["object"]!["metadata"]!;
            told.Add(((string)metadata["name"]!, long.Parse((string)metadata["resourceVersion"]!, CultureInfo.InvariantCulture)));
        }

        told.ShouldBe(there.Select(one => (one.Key, one.Value)).OrderBy(one => one.Value));
    }

    [Fact]
    public async Task One_data_directory_serves_one_server()
    {
        await using var first = await StartAsync();
        var refused = await Should.ThrowAsync<ApiServerStartException>(StartAsync());
        refused.Message.ShouldBe($"The data directory {folder.File("data")} is in use by another process: stop that one first, or give this one a directory of its own.");
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named()
    {
        await using var first = await StartAsync();
        var refused = await Should.ThrowAsync<ApiServerStartException>(StartAsync(first.Address.Port, "other"));
        refused.Message.ShouldBe($"The address 127.0.0.1:{first.Address.Port} is in use by another process: stop that one, or choose another port.");
        // A failed start lets go of everything.
        await using var again = await StartAsync(0, "other");
    }

    [Fact]
    public async Task A_damaged_authority_stops_the_start_and_is_not_replaced()
    {
        await (await StartAsync()).DisposeAsync();
        var file = Path.Combine(folder.File("data"), "pki", "ca.pem");
        await File.WriteAllTextAsync(file, "rubbish");
        (await Should.ThrowAsync<ApiServerStartException>(StartAsync())).Message.ShouldContain(file);
        (await File.ReadAllTextAsync(file)).ShouldBe("rubbish");
    }

    private static async Task WriteUntilItEndsAsync(k8s.Kubernetes client, string prefix, ConcurrentDictionary<string, long> acknowledged)
    {
        for (var i = 0; ; i++)
        {
            try
            {
                var made = await client.CoreV1.CreateNamespacedConfigMapAsync(new V1ConfigMap { Metadata = new V1ObjectMeta { Name = $"{prefix}n{i}" } }, "default");
                acknowledged[made.Name()] = long.Parse(made.ResourceVersion(), CultureInfo.InvariantCulture);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
            {
                return;
            }
        }
    }

    private static KubernetesClientConfiguration ConfigurationOf(ChildApiServer child)
    {
        using var kubeconfig = new MemoryStream(Encoding.UTF8.GetBytes(child.Kubeconfig));
        return KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig);
    }

    private Task<EmbeddedApiServer> StartAsync(int port = 0, string data = "data") => EmbeddedApiServer.StartAsync(
        new ApiServerOptions { DataDirectory = folder.File(data), Port = port }, NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None);
}
