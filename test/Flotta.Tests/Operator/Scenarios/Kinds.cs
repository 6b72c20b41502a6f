using Flotta.Kube;
using Flotta.Resources;
using k8s.Models;

namespace Flotta.Tests.Operator.Scenarios;

internal static class Kinds
{
    /// <summary>Applies the definitions of our kinds and waits until all of them are served.</summary>
    public static async Task ApplyAsync(KubeApi api, CancellationToken cancellation)
    {
        foreach (var (name, yaml) in DefinitionManifests.All)
            await api.ApplyAsync<V1CustomResourceDefinition>(new("", name), yaml, "test", cancellation);
        await ServedAsync<EdgeDevice>(api, cancellation);
        await ServedAsync<EdgeDeviceSet>(api, cancellation);
        await ServedAsync<EdgeDeviceSignedRequest>(api, cancellation);
        await ServedAsync<EdgeWorkload>(api, cancellation);
        await ServedAsync<EdgeConfig>(api, cancellation);
        await ServedAsync<PlaybookExecution>(api, cancellation);
    }

    private static Task ServedAsync<T>(KubeApi api, CancellationToken cancellation)
        where T : class => TestCluster.WaitAsync(
        async () =>
        {
            try
            {
                await api.ListAsync<T>(null, cancellation);
                return true;
            }
            catch (KubeException)
            {
                return false;
            }
        },
        () => $"{typeof(T).Name} is not served");
}
