using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Flotta.Kube;
using k8s;
using k8s.Models;

namespace Flotta.Operator;

/// <summary>Writes what people read of objects, of each at most so often: while a fleet takes something on, its counts change with every device.</summary>
internal sealed class PacedStatus<T>(KubeApi api, ObjectCache<T> cache, TimeSpan every, TimeProvider time)
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly ConcurrentDictionary<ObjectKey, long> written = new();

    public void Forget(ObjectKey key) => written.TryRemove(key, out _);

    public async Task<ReconcileResult> WriteAsync<TStatus>(ObjectKey key, TStatus status, CancellationToken cancellationToken)
    {
        var wait = written.TryGetValue(key, out var last) ? every - time.GetElapsedTime(last) : TimeSpan.Zero;
        if (wait > TimeSpan.Zero) return ReconcileResult.After(wait);
        written[key] = time.GetTimestamp();
        try
        {
            cache.Remember(await api.MergePatchStatusAsync<T>(key, new JsonObject { ["status"] = KubeJson.Node(status) }, cancellationToken));
        }
        catch (KubeException gone) when (gone.IsNotFound)
        {
            Forget(key);
        }

        return ReconcileResult.Done;
    }
}
