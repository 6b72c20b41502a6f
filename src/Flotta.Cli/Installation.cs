using System.Text.Json.Nodes;
using Flotta.Kube;
using Flotta.Resources;
using k8s;
using k8s.Models;

namespace Flotta.Cli;

/// <summary>What an API server needs before Operator and Edge API can work: the namespaces, the definitions of our kinds, and their accounts with the rights they need.</summary>
internal static class Installation
{
    private static readonly string[] Namespaces = ["default", "flotta"];

    private static readonly KubeResource Definitions = new("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", false);
    private static readonly TimeSpan UntilServed = TimeSpan.FromSeconds(30);

    public static async Task ApplyAsync(KubeApi kube, CancellationToken cancellationToken)
    {
        await NamespacesAsync(kube, cancellationToken);

        // An older version of the program may have left its definitions; ours replace them.
        foreach (var (name, yaml) in DefinitionManifests.All)
            await kube.ApplyAsync<V1CustomResourceDefinition>(new ObjectKey("", name), yaml, "flotta", cancellationToken);
        await GrantAsync(kube, cancellationToken);
    }

    public static async Task NamespacesAsync(KubeApi kube, CancellationToken cancellationToken)
    {
        foreach (var name in Namespaces)
            await CreateAsync(kube, new V1Namespace { ApiVersion = "v1", Kind = "Namespace", Metadata = new() { Name = name } }, cancellationToken);
    }

    /// <summary>The definitions alone, on a server that takes a while to serve them.</summary>
    public static async Task DefineAsync(KubeApi kube, CancellationToken cancellationToken)
    {
        foreach (var (name, yaml) in DefinitionManifests.All)
            await kube.ApplyAsync<V1CustomResourceDefinition>(new ObjectKey("", name), yaml, "flotta", cancellationToken);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(UntilServed);
        foreach (var (name, _) in DefinitionManifests.All)
        {
            while (!await IsServedAsync(kube, name, cancellationToken))
            {
                if (patience.IsCancellationRequested)
                    throw new FailureException($"the definition {name} is not served after {UntilServed.TotalSeconds} s; kubectl describe crd {name} says why.");
                await Task.Delay(TimeSpan.FromMilliseconds(200), cancellationToken);
            }
        }
    }

    // Established is said a moment before the first request is answered.
    private static async Task<bool> IsServedAsync(KubeApi kube, string name, CancellationToken cancellationToken)
    {
        var definition = await kube.DocumentAsync(Definitions, new("", name), cancellationToken);
        if (definition?["status"]?["conditions"] is not JsonArray conditions || !conditions.Any(one => one?["type"]?.GetValue<string>() == "Established" && one["status"]?.GetValue<string>() == "True"))
            return false;
        try
        {
            await kube.SendDocumentAsync(HttpMethod.Get, $"apis/{Names.ApiVersion}/{name[..name.IndexOf('.', StringComparison.Ordinal)]}?limit=1", null, cancellationToken);
            return true;
        }
        catch (KubeException notYet) when (notYet.IsNotFound)
        {
            return false;
        }
    }

    /// <summary>The accounts of Operator and Edge API, and what they and people may do.</summary>
    public static async Task GrantAsync(KubeApi kube, CancellationToken cancellationToken)
    {
        foreach (var manifest in AccessManifests.All)
            await ApplyAsync(kube, manifest, cancellationToken);
    }

    private static Task ApplyAsync(KubeApi kube, Manifest manifest, CancellationToken cancellationToken)
    {
        var key = new ObjectKey(manifest.Namespace, manifest.Name);
        return manifest.Kind switch
        {
            V1ServiceAccount.KubeKind => kube.ApplyAsync<V1ServiceAccount>(key, manifest.Yaml, "flotta", cancellationToken),
            V1ClusterRole.KubeKind => kube.ApplyAsync<V1ClusterRole>(key, manifest.Yaml, "flotta", cancellationToken),
            V1ClusterRoleBinding.KubeKind => kube.ApplyAsync<V1ClusterRoleBinding>(key, manifest.Yaml, "flotta", cancellationToken),
            V1Role.KubeKind => kube.ApplyAsync<V1Role>(key, manifest.Yaml, "flotta", cancellationToken),
            V1RoleBinding.KubeKind => kube.ApplyAsync<V1RoleBinding>(key, manifest.Yaml, "flotta", cancellationToken),
            _ => throw new InvalidOperationException($"a {manifest.Kind} is no part of who may do what"),
        };
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
