using System.Text.Json.Nodes;
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

        foreach (var definition in Definitions.All)
        {
            if (await CreateAsync(kube, definition, cancellationToken))
                continue;
            // An older version of the program left its definitions; ours replace them. The spec is taken whole, the status stays.
            var patch = new JsonObject { ["spec"] = JsonNode.Parse(KubeJson.Serialize(definition.Spec)) };
            await kube.MergePatchAsync<V1CustomResourceDefinition>(new ObjectKey("", definition.Metadata.Name), patch, cancellationToken);
        }
    }

    private static async Task<bool> CreateAsync<T>(KubeApi kube, T thing, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        try
        {
            await kube.CreateAsync(thing, cancellationToken);
            return true;
        }
        catch (KubeException taken) when (taken.IsAlreadyExists)
        {
            return false;
        }
    }
}
