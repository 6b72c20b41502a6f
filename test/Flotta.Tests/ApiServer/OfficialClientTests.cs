extern alias official;

using System.Collections.Concurrent;
using System.Text;
using Flotta.ApiServer;
using Microsoft.Extensions.Logging.Abstractions;
using official::k8s;
using official::k8s.Autorest;
using official::k8s.Models;

namespace Flotta.Tests.ApiServer;

/// <summary>The whole official client, as other people's programs use it. (The product has its Native AOT variant, without watches.)</summary>
public sealed class OfficialClientTests
{
    [Fact]
    public async Task The_official_client_lists_and_watches()
    {
        using var folder = new TemporaryFolder();
        await using var server = await EmbeddedApiServer.StartAsync(
            new ApiServerOptions { DataDirectory = folder.File("data"), Port = 0 }, NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None);
        using var kubeconfig = new MemoryStream(Encoding.UTF8.GetBytes(server.Kubeconfig("admin", "system:masters")));
        using var client = new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig));
        var list = await client.CoreV1.ListNamespacedSecretAsync("default");
        var seen = new ConcurrentQueue<string>();
        using var stop = new CancellationTokenSource();
        var watching = Task.Run(async () =>
        {
            await foreach (var (type, one) in client.CoreV1.WatchListNamespacedSecretAsync("default", resourceVersion: list.ResourceVersion(), cancellationToken: stop.Token))
                seen.Enqueue($"{type} {one.Name()}");
        });
        var made = await client.CoreV1.CreateNamespacedSecretAsync(
            new V1Secret { Metadata = new V1ObjectMeta { Name = "s" }, StringData = new Dictionary<string, string> { ["k"] = "v" } }, "default");
        Encoding.UTF8.GetString(made.Data["k"]).ShouldBe("v");
        await client.CoreV1.PatchNamespacedSecretAsync(new V1Patch("""{"metadata":{"labels":{"a":"b"}}}""", V1Patch.PatchType.StrategicMergePatch), "s", "default");
        made.Type = "other";
        var conflict = await Should.ThrowAsync<HttpOperationException>(client.CoreV1.ReplaceNamespacedSecretAsync(made, "s", "default"));
        ((int)conflict.Response.StatusCode).ShouldBe(409);
        await client.CoreV1.DeleteNamespacedSecretAsync("s", "default");
        await Eventually.True(() => seen.Count == 3);
        await stop.CancelAsync();
        seen.ShouldBe(["Added s", "Modified s", "Deleted s"]);
        await Should.ThrowAsync<OperationCanceledException>(watching);
    }
}
