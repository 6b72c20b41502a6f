using System.Collections.Immutable;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Storage;
using Flotta.ApiServer.Verbs;

namespace Flotta.ApiServer.Admission;

/// <summary>The webhooks of all configurations of a kind, as they are now; those of a configuration that did not change keep their connections.</summary>
internal sealed class Webhooks(ObjectStore store, string resource) : IDisposable
{
    private readonly Lock gate = new();
    private ImmutableSortedSet<StoredObject>? source;
    private IReadOnlyList<(StoredObject Of, IReadOnlyList<Webhook> Webhooks)> configurations = [];

    public IEnumerable<Webhook> Current
    {
        get
        {
            var now = store.State.Of(resource);
            if (now.IsEmpty)
                return [];
            lock (gate)
            {
                if (!ReferenceEquals(source, now))
                    Read(now);
                return configurations.SelectMany(one => one.Webhooks);
            }
        }
    }

    public void Dispose()
    {
        foreach (var webhook in configurations.SelectMany(one => one.Webhooks))
            webhook.Dispose();
    }

    // What is replaced is not disposed of: a call may be under way. Its connections end when they have been idle.
    private void Read(ImmutableSortedSet<StoredObject> now)
    {
        var known = configurations.ToDictionary(one => one.Of, one => one.Webhooks);
        configurations =
        [
            .. now.Select(one => (one, known.TryGetValue(one, out var same) ? same : [.. Json.Object(one.Json)["webhooks"].Objects().Select(webhook => new Webhook(webhook))])),
        ];
        source = now;
    }
}
