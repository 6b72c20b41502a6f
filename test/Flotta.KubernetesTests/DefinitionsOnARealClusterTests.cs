using Flotta.Resources;
using k8s;
using k8s.Models;

namespace Flotta.KubernetesTests;

public sealed class DefinitionsOnARealClusterTests(RealCluster cluster)
{
    public static TheoryData<string> Plurals => new(Definitions.All.Select(definition => definition.Spec.Names.Plural));

    [Theory]
    [MemberData(nameof(Plurals))]
    public async Task A_definition_is_accepted_and_established(string plural)
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var client = new Kubernetes(Configuration());
        var definition = await Applied.EnsureAsync(client, Definitions.All.Single(each => each.Spec.Names.Plural == plural), cancellation);

        // Structural schemas, accepted names and established: what Kubernetes itself says of it.
        var conditions = definition.Status.Conditions.ToDictionary(condition => condition.Type, StringComparer.Ordinal);
        conditions.GetValueOrDefault("NonStructuralSchema")?.Message.ShouldBeNull();
        conditions["NamesAccepted"].Status.ShouldBe("True");
        conditions["Established"].Status.ShouldBe("True");
    }

    private KubernetesClientConfiguration Configuration()
    {
        using var stream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(cluster.Server.Kubeconfig("admin", "system:masters")));
        return KubernetesClientConfiguration.BuildConfigFromConfigFile(stream);
    }
}

internal static class Applied
{
    /// <summary>Creates a definition unless it is there, and waits until it is served.</summary>
    public static async Task<V1CustomResourceDefinition> EnsureAsync(Kubernetes client, V1CustomResourceDefinition definition, CancellationToken cancellation)
    {
        try
        {
            await client.ApiextensionsV1.CreateCustomResourceDefinitionAsync(definition, cancellationToken: cancellation);
        }
        catch (k8s.Autorest.HttpOperationException error) when (error.Response.StatusCode == System.Net.HttpStatusCode.Conflict)
        {
        }

        while (true)
        {
            var present = await client.ApiextensionsV1.ReadCustomResourceDefinitionAsync(definition.Metadata.Name, cancellationToken: cancellation);
            if (present.Status?.Conditions?.Any(condition => condition is { Type: "Established", Status: "True" }) == true) return present;
            await Task.Delay(100, cancellation);
        }
    }
}
