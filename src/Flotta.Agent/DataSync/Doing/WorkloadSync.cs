using Flotta.Agent.Files;
using Flotta.Yggdrasil.Transport;

namespace Flotta.Agent.DataSync;

/// <summary>
/// Keeps one workload's folders and the bucket the same. While nothing changes that is: waiting for the kernel to tell of a change, and a list of
/// the ingress prefixes every two minutes.
/// </summary>
internal sealed class WorkloadSync(WorkloadData data, SyncSite site, SyncSchedule schedule)
{
    private const UnixFileMode Everybody = (UnixFileMode)0b111_111_111;
    private static readonly TimeSpan Together = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Soonest = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Latest = TimeSpan.FromMinutes(2);

    // What nobody told of: a change while the agent was away is found at the start, one that the kernel lost an hour later.
    private static readonly TimeSpan Everything = TimeSpan.FromHours(1);
    private static readonly TimeSpan WithoutWatch = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(15);
    private readonly BackOff _failures = new(TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(10));
    private readonly Dictionary<string, TimeSpan> _waiting = new(StringComparer.Ordinal);
    private readonly long _start = site.Time.GetTimestamp();
    private TimeSpan _interval = Soonest;
    private bool _remembered = true;
    private string? _listed;
    private string? _seen;
    private IReadOnlyList<string> _egress = [];
    private IReadOnlyList<string> _ingress = [];
    private string? _said;
    private TimeSpan _saidAt;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        MakeFolders();
        using var changed = new Signal();
        var dirty = 1;
        using var watch = new ChangeWatch(site.Places.Export(data.Name), () =>
        {
            Volatile.Write(ref dirty, 1);
            changed.Set();
        });
        var (nextLook, nextList) = data.Egress.Count == 0 ? (TimeSpan.MaxValue, TimeSpan.MaxValue) : (Now, Now + BackOff.Around(Everything, 0.1));
        var (nextIngress, retry) = (data.Ingress.Count == 0 ? TimeSpan.MaxValue : Now, TimeSpan.MaxValue);
        while (true)
        {
            var began = site.Time.GetTimestamp();
            var isDirty = Interlocked.Exchange(ref dirty, 0) == 1;
            var order = new RoundOrder(
                data.Egress.Count > 0 && (isDirty || Now >= nextLook || Now >= nextList || Now >= retry),
                Now >= nextList || !_remembered,
                Now >= nextIngress,
                path => _waiting.TryGetValue(path, out var since) && Now - since >= LongestWait,
                isDirty ? null : _listed);
            if (await RoundAsync(order, cancellationToken) is not { } result)
            {
                // The window closed.
                Volatile.Write(ref dirty, 1);
                continue;
            }

            Tell(order, result);
            retry = TimeSpan.MaxValue;
            if (!result.Failed)
            {
                _failures.Reset();
            }
            else if (result.Problem is null)
            {
                // Single files: what is new need not wait for them.
                retry = Now + _failures.Next(result.RetryAfter);
            }
            else
            {
                Volatile.Write(ref dirty, 1);
                _listed = null;
                await Task.Delay(_failures.Next(result.RetryAfter), site.Time, cancellationToken);
                continue;
            }

            if (order.List)
                nextList = Now + BackOff.Around(Everything, 0.1);
            if (order.Egress)
                nextLook = Now + (Wait(result.Unsettled) ? EgressPlan.Settled : watch.Works ? Everything : WithoutWatch);
            if (order.Ingress)
                nextIngress = Max(Now + BackOff.Around(Interval(result), 0.1), retry);
            // Little of the time goes into looking, however large the folders are.
            var rest = site.Time.GetElapsedTime(began) * 20;
            if (await changed.WaitAsync(Min(Min(nextLook, nextList), Min(nextIngress, retry)) - Now, site.Time, cancellationToken))
                await Task.Delay(rest < Together ? Together : rest > Soonest ? Soonest : rest, site.Time, cancellationToken);
        }
    }

    /// <summary>The workload is gone: what it wrote at the end is sent, and what was begun is tidied up.</summary>
    public async Task FarewellAsync(CancellationToken cancellationToken)
    {
        // The second time, because a container that is told to stop may still write for a while.
        for (var pause = TimeSpan.FromSeconds(5); pause <= TimeSpan.FromMinutes(1) && Directory.Exists(site.Places.Export(data.Name)); pause *= 12)
        {
            await Task.Delay(pause, site.Time, cancellationToken);
            while (await RoundAsync(new RoundOrder(Egress: true, List: !_remembered, Ingress: false, static _ => true, null), cancellationToken) is not { Problem: null })
                await Task.Delay(_failures.Next(), site.Time, cancellationToken);
        }

        var begun = new BegunUploads(site.Places.Uploads(data.Name), site.BucketIdentity);
        foreach (var one in begun.All)
            await site.Bucket.AbortUploadAsync(one.Key, one.Id, cancellationToken).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        File.Delete(site.Places.Uploads(data.Name));
        DurableFile.Delete(site.Places.Memory(data.Name));
        site.States.Set(data.Name, null, null);
    }

    /// <summary>Since the start: what waits does not wait longer because the clock was set back.</summary>
    private TimeSpan Now => site.Time.GetElapsedTime(_start);

    /// <summary>Null when it was interrupted, since the time for transfers is over; what was begun goes on in the next window.</summary>
    private async Task<RoundResult?> RoundAsync(RoundOrder order, CancellationToken cancellationToken)
    {
        while (!schedule.IsOpen(site.Time.GetLocalNow().DateTime))
            await Task.Delay(Longest(schedule.UntilChange(site.Time.GetLocalNow().DateTime)), site.Time, cancellationToken);
        if (!order.Egress && !order.Ingress)
            return new RoundResult();
        if (schedule.Windows.Count == 0)
            return Noted(order, await new SyncRound(data, site).RunAsync(order, cancellationToken));
        using var window = new CancellationTokenSource(schedule.UntilChange(site.Time.GetLocalNow().DateTime), site.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, window.Token);
        try
        {
            return Noted(order, await new SyncRound(data, site).RunAsync(order, either.Token));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private RoundResult Noted(RoundOrder order, RoundResult result)
    {
        // Only one that looked through all that goes out finds it again.
        _remembered = result.Remembered && (_remembered || (order.Egress && result.Problem is null));
        return result;
    }

    /// <summary>Whether something is still being written.</summary>
    private bool Wait(IReadOnlyList<string> unsettled)
    {
        foreach (var settled in _waiting.Keys.Except(unsettled, StringComparer.Ordinal).ToList())
            _waiting.Remove(settled);
        foreach (var path in unsettled)
            _waiting.TryAdd(path, Now);
        return unsettled.Count > 0;
    }

    /// <summary>A bucket in which nothing happens is looked at less and less often, to some bound.</summary>
    private TimeSpan Interval(RoundResult result)
    {
        _interval = result.Listed == _seen && result.Fetched == 0 ? Min(_interval * 2, Latest) : Soonest;
        _seen = result.Listed;
        _listed = result.Problems.Count == 0 ? result.Listed : null;
        return data.Interval ?? _interval;
    }

    private void Tell(RoundOrder order, RoundResult result)
    {
        // A round that did not look at one direction knows nothing new of it.
        _egress = order.Egress ? result.Egress : _egress;
        _ingress = order.Ingress ? result.Ingress : _ingress;
        string[] problems = result.Problem is null ? [.. _egress, .. _ingress] : [result.Problem, .. _egress, .. _ingress];
        var problem = problems.Length == 0 ? null : string.Join("; ", problems.Take(5));
        site.States.Set(data.Name, result.Sent > 0 ? site.Time.GetUtcNow() : null, problem);
        if (problem == _said || (problem is not null && _said is not null && Now - _saidAt < TimeSpan.FromMinutes(1)))
            return;
        if (problem is null)
            site.Report.Info("DataSynchronised", $"The data of workload {data.Name} is synchronised again");
        else
            site.Report.Warn("DataNotSynchronised", $"The data of workload {data.Name} is not synchronised: {problem}");
        (_said, _saidAt) = (problem, Now);
    }

    // The container's folder may be made by whoever needs it first.
    private void MakeFolders()
    {
        const UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Directory.CreateDirectory(site.Places.Folder, owner);
        Directory.CreateDirectory(site.Places.Exports, owner);
        Directory.CreateDirectory(site.Places.Export(data.Name)).UnixFileMode = Everybody;
    }

    private static TimeSpan Longest(TimeSpan time) => time > TimeSpan.FromHours(1) ? TimeSpan.FromHours(1) : time;

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => other == TimeSpan.MaxValue || one > other ? one : other;
}
