using System.Text.Json.Nodes;
using Flotta.ApiServer.Admission;
using Flotta.ApiServer.Discovery;
using Flotta.ApiServer.Lifecycle;
using Flotta.ApiServer.Storage;
using Flotta.ApiServer.Verbs;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.ApiServer.Lifecycle;

public sealed class EmptyingLoopTests : IAsyncDisposable
{
    private const string Going = "\"deletionTimestamp\":\"2026-01-02T03:04:05Z\"";

    private readonly TemporaryFolder folder = new();
    private readonly CancellationTokenSource stop = new();
    private readonly ObjectStore store;
    private readonly ResourceCatalog catalog;
    private readonly WebhookAdmission admission;
    private Task running = Task.CompletedTask;

    public EmptyingLoopTests()
    {
        store = ObjectStore.Open(folder.File("flotta.db"), NullLogger.Instance, TimeProvider.System);
        catalog = new ResourceCatalog(store);
        admission = new WebhookAdmission(store, catalog, [], NullLogger.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running;
        admission.Dispose();
        await store.DisposeAsync();
        stop.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task What_cannot_be_deleted_holds_only_the_namespace_that_it_is_in()
    {
        await NamespaceAsync("a", Going);
        await NamespaceAsync("b", Going);
        // Its generation cannot be counted on.
        await ConfigMapAsync("a", "damaged", "\"finalizers\":[\"example.com/x\"],\"generation\":\"many\"");
        await ConfigMapAsync("a", "good", "\"labels\":{}");
        Run(TimeProvider.System, TimeProvider.System);
        await Eventually.True(() => store.State.Get(Namespace("b")) is null && store.State.Get(ConfigMap("a", "good")) is null);
        store.State.Get(Namespace("a")).ShouldNotBeNull();
        store.State.Get(ConfigMap("a", "damaged")).ShouldNotBeNull();
    }

    [Fact]
    public async Task After_more_changes_at_once_than_it_can_follow_it_waits_for_the_next_as_before()
    {
        await NamespaceAsync("a", Going);
        await ConfigMapAsync("a", "held", "\"finalizers\":[\"example.com/x\"]," + Going);
        var looks = 0;
        // The first look takes so long that all of these come meanwhile.
        var busy = new AskedTime(() =>
        {
            if (Interlocked.Increment(ref looks) == 1)
                Task.WhenAll(Enumerable.Range(0, 2100).Select(number => ComeAndGoAsync($"n{number}"))).Wait();
        });
        Run(busy, new FakeTimeProvider());
        await Eventually.True(() => Volatile.Read(ref looks) >= 3);
        for (var number = 0; number < 10; number++)
        {
            var before = Volatile.Read(ref looks);
            await NamespaceAsync($"later{number}", "\"labels\":{}");
            await Eventually.True(() => Volatile.Read(ref looks) > before);
        }

        Volatile.Read(ref looks).ShouldBeLessThan(50);
    }

    private void Run(TimeProvider ofChanges, TimeProvider time)
    {
        var loop = new EmptyingLoop(store, catalog, new ObjectChanges(store, catalog, admission, ofChanges), time, NullLogger.Instance);
        running = Task.Run(() => loop.RunAsync(stop.Token));
    }

    private Task NamespaceAsync(string name, string metadata) => WriteAsync(Namespace(name), metadata);

    private async Task ComeAndGoAsync(string name)
    {
        await NamespaceAsync(name, "\"labels\":{}");
        var made = store.State.Get(Namespace(name))!;
        await store.WriteAsync(new Write(made.Key, ChangeKind.Deleted, made.Revision, ObjectTemplate.From((JsonObject)JsonNode.Parse(made.Json)!), []), CancellationToken.None);
    }

    private Task ConfigMapAsync(string @namespace, string name, string metadata) => WriteAsync(ConfigMap(@namespace, name), metadata);

    private async Task WriteAsync(ObjectKey key, string metadata)
    {
        var value = (JsonObject)JsonNode.Parse($$$"""{"metadata":{"name":"{{{key.Name}}}","uid":"{{{key.Name}}}",{{{metadata}}}}}""")!;
        (await store.WriteAsync(new Write(key, ChangeKind.Created, 0, ObjectTemplate.From(value), []), CancellationToken.None)).Outcome.ShouldBe(WriteOutcome.Done);
    }

    private static ObjectKey Namespace(string name) => new(KindRules.Namespaces, "", name);

    private static ObjectKey ConfigMap(string @namespace, string name) => new("configmaps", @namespace, name);

    /// <summary>Tells when it is asked.</summary>
    private sealed class AskedTime(Action asked) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow()
        {
            asked();
            return base.GetUtcNow();
        }
    }
}
