using Flotta.Kube;
using Flotta.Resources;
using k8s;
using k8s.Models;

namespace Flotta.Cli;

/// <summary>What an API server needs before Operator and Edge API can work: the definitions of our kinds, and the namespaces.</summary>
internal static class Installation
{
    private static readonly string[] Namespaces = ["default", "flotta"];

    public static async Task ApplyAsync(KubeApi kube, CancellationToken cancellationToken)
    {
        foreach (var name in Namespaces)
            await CreateAsync(kube, new V1Namespace { ApiVersion = "v1", Kind = "Namespace", Metadata = new() { Name = name } }, cancellationToken);

        // An older version of the program may have left its definitions; ours replace them.
        foreach (var (name, yaml) in DefinitionManifests.All)
            await kube.ApplyAsync<V1CustomResourceDefinition>(new ObjectKey("", name), yaml, "flotta", cancellationToken);
    }

    private static async Task CreateAsync<T>(KubeApi kube, T thing, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        try
        {
            await kube.CreateAsync(thing, cancellationToken);
        }
        catch (KubeException taken) when (taken.IsAlreadyExists)
        {
            // as it should be from the second start on
        }
    }
}
