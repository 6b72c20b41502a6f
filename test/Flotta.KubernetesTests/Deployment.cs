using Flotta.Kube;
using Flotta.Tests.Operator.Scenarios;
using k8s;
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
            foreach (var thing in KubernetesYaml.LoadAllFromString(await File.ReadAllTextAsync(file, cancellation)))
                await CreateAsync(api, thing, cancellation);
        }
    }

    private static Task CreateAsync(KubeApi api, object thing, CancellationToken cancellation) => thing switch
    {
        V1Namespace made => api.CreateAsync(made, cancellation),
        V1CustomResourceDefinition made => api.CreateAsync(made, cancellation),
        V1ServiceAccount made => api.CreateAsync(made, cancellation),
        V1ConfigMap made => api.CreateAsync(made, cancellation),
        V1ClusterRole made => api.CreateAsync(made, cancellation),
        V1ClusterRoleBinding made => api.CreateAsync(made, cancellation),
        V1Role made => api.CreateAsync(made, cancellation),
        V1RoleBinding made => api.CreateAsync(made, cancellation),
        _ => throw new NotSupportedException($"{thing.GetType()} in deploy/kubernetes"),
    };

    private static string Root(string folder) =>
        File.Exists(Path.Combine(folder, "Flotta.slnx")) ? folder : Root(Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("Flotta.slnx"));
}
