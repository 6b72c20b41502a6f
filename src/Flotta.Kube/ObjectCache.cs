using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Flotta.Kube;

/// <summary>
/// A live copy of one kind: lists in pages, then watches; after a lost connection it goes on from the last resourceVersion it saw (bookmarks
/// keep that young), and lists again only when the server says that this is too old. Reads never wait and never leave the process.
/// The objects are shared: whoever wants to change one copies it first.
/// </summary>
public sealed partial class ObjectCache<T>(KubeApi api, ObjectCacheOptions<T> options, ILoggerFactory loggers, TimeProvider time)
    where T : class, IKubernetesObject<V1ObjectMeta>
{
    private readonly ILogger logger = loggers.CreateLogger("Flotta.Kube.ObjectCache." + KubeKind<T>.Entity.PluralName);
    private readonly ConcurrentDictionary<ObjectKey, T> objects = new();
    private readonly Dictionary<string, ObjectIndex<T>> indexes =
        options.Indexes.ToDictionary(index => index.Key, index => new ObjectIndex<T>(index.Value), StringComparer.Ordinal);
    private readonly TaskCompletionSource synced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock gate = new();

    /// <summary>
    /// Raised in order, from the loop (or from <see cref="Remember"/>), after the cache holds the new state. Handlers only put keys somewhere: they must be quick.
    /// A new list raises it only for what differs.
    /// </summary>
    public event Action<ObjectChange<T>>? Changed;

    public bool HasSynced => synced.Task.IsCompletedSuccessfully;

    public int Count => objects.Count;

    /// <summary>Done as soon as the first list is complete.</summary>
    public Task WaitForSyncAsync(CancellationToken cancellationToken) => synced.Task.WaitAsync(cancellationToken);

    public T? Get(ObjectKey key) => objects.GetValueOrDefault(key);

    public T? Get(string @namespace, string name) => Get(new ObjectKey(@namespace, name));

    /// <summary>A snapshot; its order means nothing.</summary>
    public IReadOnlyList<T> All => [.. objects.Values];

    public IReadOnlyList<T> ByIndex(string index, string value)
    {
        ObjectKey[] keys;
        lock (gate)
            keys = [.. indexes[index].Find(value)];
        var found = new List<T>(keys.Length);
        foreach (var key in keys)
        {
            if (objects.TryGetValue(key, out var thing))
                found.Add(thing);
        }

        return found;
    }

    /// <summary>
    /// Takes over the answer to one's own write, so that the next read sees it before the watch brings it. Only for an object that is still there and
    /// not newer already: what was deleted meanwhile stays deleted.
    /// </summary>
    public void Remember(T written)
    {
        ArgumentNullException.ThrowIfNull(written);
        Put(ObjectKey.Of(written), Strip(written), onlyIfKnown: true);
    }

    /// <summary>Runs until cancelled; no failure ends it.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var failures = 0;
        string? position = null;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                if (position == null)
                {
                    position = await ListAsync(cancellationToken);
                    synced.TrySetResult();
                    LogListed(objects.Count);
                }

                await foreach (var (type, element) in api.WatchAsync<T>(options.Namespace, options.LabelSelector, options.FieldSelector, position, Duration(), cancellationToken))
                {
                    failures = 0;
                    position = KubeObject.VersionOf(element) ?? position;
                    Take(type, element);
                }

                // A server that ends every watch at once must not be asked in a tight loop.
                await Task.Delay(TimeSpan.FromMilliseconds(50 + (50 * options.Backoff.Jitter())), time, cancellationToken);
            }
            catch (Exception ended) when (cancellationToken.IsCancellationRequested && KubeApi.IsEnding(ended))
            {
                return;
            }
            catch (KubeException gone) when (gone.IsGone)
            {
                // The pause keeps a server that always says so from being listed in a tight loop.
                LogTooOld();
                position = null;
                await PauseAsync(options.Backoff.After(failures++), cancellationToken);
            }
            catch (Exception error)
            {
                // Spread: a server that is overloaded tells all its clients the same number of seconds.
                var asked = ((error as KubeException)?.RetryAfter ?? TimeSpan.Zero) * (1 + (0.2 * options.Backoff.Jitter()));
                var own = options.Backoff.After(failures++);
                var wait = asked > own ? asked : own;
                LogLost(error.Message, wait);
                await PauseAsync(wait, cancellationToken);
            }
        }
    }

    private async Task PauseAsync(TimeSpan wait, CancellationToken cancellationToken) =>
        await Task.Delay(wait, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private TimeSpan Duration() => options.WatchDuration * (1 + options.Backoff.Jitter());

    private async Task<string> ListAsync(CancellationToken cancellationToken)
    {
        // Collected first: a list that breaks off half-way must not look like deletions.
        var present = new HashSet<ObjectKey>();
        var all = new List<T>();
        string? next = null;
        ObjectPage page;
        do
        {
            page = await api.ListPageAsync<T>(options.Namespace, options.LabelSelector, options.FieldSelector, options.PageSize, next, cancellationToken);
            foreach (var element in page.Items)
            {
                // What cannot be read stays as it was when it could be.
                present.Add(KubeObject.KeyOf(element));
                if (Read(element) is { } thing)
                    all.Add(Strip(thing));
            }

            next = page.Metadata.ContinueProperty;
        }
        while (!string.IsNullOrEmpty(next));

        foreach (var key in objects.Keys.Where(key => !present.Contains(key)).ToList())
            Remove(key);
        foreach (var thing in all)
            Put(ObjectKey.Of(thing), thing, onlyIfKnown: false);
        return page.Metadata.ResourceVersion ?? "0";
    }

    private void Take(WatchEventType type, JsonElement element)
    {
        if (type == WatchEventType.Bookmark)
            return;
        var key = KubeObject.KeyOf(element);
        if (type == WatchEventType.Deleted)
            Remove(key);
        // The answer to our own write was here before: there is nothing to read.
        else if (objects.TryGetValue(key, out var present) && present.Metadata.ResourceVersion is { Length: > 0 } version && version == KubeObject.VersionOf(element))
            return;
        else if (Read(element) is { } thing)
            Put(ObjectKey.Of(thing), Strip(thing), onlyIfKnown: false);
    }

    private T? Read(JsonElement element)
    {
        var thing = KubeObject.TryRead<T>(element, out var problem);
        if (thing == null)
            LogUnreadable(KubeKind<T>.Entity.Kind, KubeObject.KeyOf(element), problem);
        return thing;
    }

    private T Strip(T thing)
    {
        thing.Metadata.ManagedFields = null;
        return options.Transform?.Invoke(thing) ?? thing;
    }

    private void Put(ObjectKey key, T thing, bool onlyIfKnown)
    {
        lock (gate)
        {
            objects.TryGetValue(key, out var before);
            if (onlyIfKnown && (before == null || !SameObject(before, thing)))
                return;
            if (before != null && SameObject(before, thing) && !Newer(thing, before))
                return;
            objects[key] = thing;
            foreach (var index in indexes.Values)
                index.Replace(key, before, thing);
            Announce(new(key, before, thing));
        }
    }

    private void Remove(ObjectKey key)
    {
        lock (gate)
        {
            if (!objects.TryRemove(key, out var before))
                return;
            foreach (var index in indexes.Values)
                index.Replace(key, before, null);
            Announce(new(key, before, null));
        }
    }

    private static bool SameObject(T one, T other) => string.Equals(one.Metadata.Uid, other.Metadata.Uid, StringComparison.Ordinal);

    // The watch may still bring what was true before our own write. Versions that are no numbers cannot be ordered: the later word counts.
    private static bool Newer(T thing, T than) =>
        !ulong.TryParse(thing.Metadata.ResourceVersion, CultureInfo.InvariantCulture, out var mine)
        || !ulong.TryParse(than.Metadata.ResourceVersion, CultureInfo.InvariantCulture, out var its)
        || mine > its;

    private void Announce(ObjectChange<T> change)
    {
        try
        {
            Changed?.Invoke(change);
        }
        catch (Exception error)
        {
            LogHandlerFailed(error, change.Key);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The {Kind} {Key} is left out, because it cannot be read: {Problem}")]
    private partial void LogUnreadable(string kind, ObjectKey key, string problem);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Listed {Count} objects")]
    private partial void LogListed(int count);

    [LoggerMessage(Level = LogLevel.Information, Message = "The position in the watch is too old; listing again")]
    private partial void LogTooOld();

    [LoggerMessage(Level = LogLevel.Warning, Message = "Lost the API server ({Error}); trying again in {Wait}")]
    private partial void LogLost(string error, TimeSpan wait);

    [LoggerMessage(Level = LogLevel.Error, Message = "A handler failed for {Key}")]
    private partial void LogHandlerFailed(Exception error, ObjectKey key);
}
