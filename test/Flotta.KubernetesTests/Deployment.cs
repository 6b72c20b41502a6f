using Flotta.Kube;
using Flotta.Tests.Operator.Scenarios;
using k8s.Models;

namespace Flotta.KubernetesTests;

/// <summary>Applies the files that deploy/kubernetes/kustomization.yaml lists, as kubectl apply -k would.</summary>
internal static class Deployment
{
    private static readonly string Folder = Path.Combine(Root(AppContext.BaseDirectory), "deploy", "kubernetes");

    public static IReadOnlyList<string> Files { get; } =
        [.. File.ReadAllLines(Path.Combine(Folder, "kustomization.yaml")).Where(line => line.StartsWith("  - ", StringComparison.Ordinal)).Select(line => Path.Combine(Folder, line[4..]))];

    public static async Task ApplyAsync(string kubeconfig, CancellationToken cancellation)
    {
        using var api = KubeApi.Connect(TestCluster.Configuration(kubeconfig), TimeProvider.System);
        foreach (var file in Files)
        {
            foreach (var text in (await File.ReadAllTextAsync(file, cancellation)).Split("\n---\n"))
                await ApplyAsync(api, text, cancellation);
        }
    }

    private static Task ApplyAsync(KubeApi api, string yaml, CancellationToken cancellation)
    {
        var thing = new YamlDotNet.Serialization.DeserializerBuilder().Build().Deserialize<Dictionary<string, object>>(yaml);
        var metadata = (Dictionary<object, object>)thing["metadata"];
        var key = new ObjectKey(metadata.GetValueOrDefault("namespace") as string ?? "", (string)metadata["name"]);
        return thing["kind"] switch
        {
            "Namespace" => Do<V1Namespace>(),
            "CustomResourceDefinition" => Do<V1CustomResourceDefinition>(),
            "ServiceAccount" => Do<V1ServiceAccount>(),
            "ConfigMap" => Do<V1ConfigMap>(),
            "ClusterRole" => Do<V1ClusterRole>(),
            "ClusterRoleBinding" => Do<V1ClusterRoleBinding>(),
            "Role" => Do<V1Role>(),
            "RoleBinding" => Do<V1RoleBinding>(),
            // No kubelet runs them here; DeploymentTests asks whether they are right.
            "Secret" => Do<V1Secret>(),
            // The tests of the webhooks make one that knows where they are.
            "ValidatingWebhookConfiguration" or "Deployment" or "Service" or "PodDisruptionBudget" or "NetworkPolicy" => Task.CompletedTask,
            var other => throw new NotSupportedException($"{other} in deploy/kubernetes"),
        };

        Task Do<T>()
            where T : class => api.ApplyAsync<T>(key, yaml, "test", cancellation);
    }

    private static string Root(string folder) =>
        File.Exists(Path.Combine(folder, "Flotta.slnx")) ? folder : Root(Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("Flotta.slnx"));
}
