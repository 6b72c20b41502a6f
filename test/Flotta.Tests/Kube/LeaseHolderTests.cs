using System.Net;
using Flotta.Kube;
using Flotta.Resources;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Kube;

public sealed class LeaseHolderTests : IAsyncDisposable
{
    private readonly ScriptedApi api = new();
    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
    private readonly CancellationTokenSource stop = new();
    private readonly LeaseHolder holder;
    private Task running = Task.CompletedTask;

    public LeaseHolderTests() => holder = new LeaseHolder(
        api.Connect(time),
        new LeaseHolderOptions { Namespace = "flotta", Name = "one", Identity = "me" },
        NullLoggerFactory.Instance,
        time);

    public async ValueTask DisposeAsync()
    {
        api.Then(HttpStatusCode.NotFound, "{}");
        await stop.CancelAsync();
        await running.WaitAsync(TimeSpan.FromSeconds(10));
        stop.Dispose();
    }

    [Fact]
    public async Task A_lease_that_is_not_there_is_created_with_micro_times()
    {
        api.Then(HttpStatusCode.NotFound, "{}").Then(Lease("me", 1));
        Start();
        await Eventually.True(() => holder.IsHeld);
        api.Requests.Last().ShouldStartWith("POST /apis/coordination.k8s.io/v1/namespaces/flotta/leases ");
        api.Requests.Last().ShouldContain("\"renewTime\":\"2026-01-02T03:04:05.000001Z\"");
    }

    [Fact]
    public async Task Anothers_lease_is_left_alone_while_it_is_renewed()
    {
        for (var renewal = 1; renewal <= 30; renewal++)
            api.Then(Lease("other", renewal));
        Start();
        await Eventually.True(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return api.Requests.Count >= 20;
        });
        holder.IsHeld.ShouldBeFalse();
        api.Requests.ShouldAllBe(request => request.StartsWith("GET", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Anothers_lease_is_taken_when_it_stands_still_for_its_duration()
    {
        var started = time.GetUtcNow();
        api.Answer = request => request.Method == HttpMethod.Get ? Lease("other", 5) : Lease("me", 6);
        Start();
        await Eventually.True(() =>
        {
            time.Advance(TimeSpan.FromSeconds(holder.IsHeld ? 0 : 1));
            return holder.IsHeld;
        });
        (time.GetUtcNow() - started).ShouldBeGreaterThan(TimeSpan.FromSeconds(30));
        api.Requests.Last().ShouldStartWith("PUT");
        api.Requests.Last().ShouldContain("\"leaseTransitions\":4");
    }

    [Fact]
    public async Task A_lease_that_cannot_be_renewed_is_lost_after_its_duration()
    {
        api.Then(HttpStatusCode.NotFound, "{}").Then(Lease("me", 1));
        for (var failure = 0; failure < 20; failure++)
            api.ThenBreak();
        var told = new List<bool>();
        holder.Changed += told.Add;
        Start();
        await Eventually.True(() => holder.IsHeld);
        await Eventually.True(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return told.Count == 2;
        });
        told.ShouldBe([true, false]);
    }

    [Fact]
    public async Task Who_wakes_after_the_lease_ran_out_writes_nothing_before_it_is_held_again()
    {
        api.Then(HttpStatusCode.NotFound, "{}").Then(Lease("me", 1));
        Start();
        await Eventually.True(() => holder.IsHeld);
        using var kube = api.Connect(time).Fenced(() => holder.Left);
        api.Then("""{"metadata":{"name":"till-07"}}""");
        await kube.MergePatchAsync<EdgeDevice>(new("ns", "till-07"), [], CancellationToken.None);

        // Frozen for longer than the Lease lasts: no renewal has been tried yet when the round goes on.
        time.AdjustTime(time.GetUtcNow() + TimeSpan.FromSeconds(31));
        await Should.ThrowAsync<LeaseLostException>(() => kube.MergePatchAsync<EdgeDevice>(new("ns", "till-07"), [], CancellationToken.None));
        api.Requests.Count(request => request.StartsWith("PATCH", StringComparison.Ordinal)).ShouldBe(1);

        // Reading does no harm.
        api.Then("""{"metadata":{"name":"till-07"}}""");
        (await kube.GetAsync<EdgeDevice>(new("ns", "till-07"), CancellationToken.None)).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_write_is_given_no_more_time_than_the_lease_has_left()
    {
        api.Then(HttpStatusCode.NotFound, "{}").Then(Lease("me", 1));
        Start();
        await Eventually.True(() => holder.IsHeld);
        using var kube = api.Connect(time).Fenced(() => TimeSpan.FromSeconds(7));
        var write = kube.MergePatchAsync<EdgeDevice>(new("ns", "till-07"), [], CancellationToken.None);
        await Eventually.True(() => api.Requests.Any(request => request.StartsWith("PATCH", StringComparison.Ordinal)));
        time.Advance(TimeSpan.FromSeconds(7));
        (await Should.ThrowAsync<TimeoutException>(write)).Message.ShouldContain("within 7 s");
    }

    private void Start() => running = holder.RunAsync(stop.Token);

    private static string Lease(string identity, int version) =>
        $$$"""{"metadata":{"name":"one","namespace":"flotta","resourceVersion":"{{{version}}}"},"spec":{"holderIdentity":"{{{identity}}}","leaseDurationSeconds":30,"leaseTransitions":3,"renewTime":"2026-01-02T03:04:05.000001Z"}}""";
}
