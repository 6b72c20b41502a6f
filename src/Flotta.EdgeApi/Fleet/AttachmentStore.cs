using System.Collections.Concurrent;
using Flotta.Kube;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Flotta.EdgeApi.Fleet;

/// <summary>
/// Secrets (or ConfigMaps) that configurations refer to, and no others. A namespace is watched from its first use on, but of what passes by only names and versions are
/// kept; the content of an object is fetched when it is referred to, and dropped when the watch tells that it changed.
/// </summary>
internal sealed class AttachmentStore<T>(KubeApi api, Func<T, T> strip, Action<ObjectKey> changed, ILoggerFactory loggers, TimeProvider time)
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly ConcurrentDictionary<string, Lazy<ObjectCache<T>>> namespaces = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<ObjectKey, T> contents = new();
    private readonly ConcurrentBag<Task> watches = [];
    private readonly CancellationTokenSource stop = new();

    /// <summary>The object with its content, or null where there is none.</summary>
    public async ValueTask<T?> GetAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        var names = namespaces.GetOrAdd(key.Namespace, home => new Lazy<ObjectCache<T>>(() => Watch(home))).Value;
        if (!names.HasSynced)
            await names.WaitForSyncAsync(cancellationToken);
        if (names.Get(key) is not { } present)
            return null;
        if (contents.TryGetValue(key, out var content) && SameVersion(content, present))
            return content;
        var fetched = await api.GetAsync<T>(key, cancellationToken);
        if (fetched == null)
            return null;
        fetched.Metadata.ManagedFields = null;
        contents[key] = fetched;
        return fetched;
    }

    public async Task StopAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(watches);
        stop.Dispose();
    }

    private ObjectCache<T> Watch(string home)
    {
        var cache = new ObjectCache<T>(api, new ObjectCacheOptions<T> { Namespace = home, Transform = strip }, loggers, time);
        cache.Changed += change =>
        {
            if (contents.TryGetValue(change.Key, out var content) && (change.After == null || !SameVersion(content, change.After)))
                contents.TryRemove(change.Key, out _);
            // The first list changes nothing for anybody: whoever asked waits for it.
            if (cache.HasSynced)
                changed(change.Key);
        };
        watches.Add(cache.RunAsync(stop.Token));
        return cache;
    }

    private static bool SameVersion(T one, T other) => string.Equals(one.Metadata.ResourceVersion, other.Metadata.ResourceVersion, StringComparison.Ordinal);
}
