using System.Text.Json.Nodes;
using Flotta.Kube;
using Flotta.Resources;
using Microsoft.Extensions.Logging;

namespace Flotta.EdgeApi.Statuses;

/// <summary>
/// Writes what devices report. A change is a pure function of the device as it is; changes to one device that wait together are applied one after the other and written once,
/// refused and made anew when somebody else wrote in between. A change that leaves everything as it is costs no request.
/// </summary>
internal sealed partial class StatusWriter : IDisposable
{
    // Somebody who writes the same object again and again may win often, but not for ever.
    private const int Conflicts = 40;
    private const int Failures = 5;
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);
    private static readonly Backoff BetweenConflicts = new(TimeSpan.FromMilliseconds(2), TimeSpan.FromMilliseconds(60));
    private static readonly Backoff BetweenFailures = new(TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(400));

    private readonly KubeApi api;
    private readonly ObjectCache<EdgeDevice> devices;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly int limit;
    private readonly WorkQueue<ObjectKey> queue;
    private readonly ReconcileLoop<ObjectKey> loop;
    private readonly Dictionary<ObjectKey, List<Change>> pending = [];
    private readonly Lock gate = new();
    private readonly Sparingly failed;
    private int count;

    public StatusWriter(KubeApi api, ObjectCache<EdgeDevice> devices, EdgeApiOptions options, ILoggerFactory loggers, TimeProvider time)
    {
        (this.api, this.devices, this.time, limit) = (api, devices, time, options.MaxPendingWrites);
        logger = loggers.CreateLogger<StatusWriter>();
        failed = new(time);
        queue = new WorkQueue<ObjectKey>(time);
        loop = new ReconcileLoop<ObjectKey>("device-status", queue, WriteAsync, loggers, time, new ReconcileLoopOptions { Workers = options.StatusWriters });
    }

    public bool IsFull => limit > 0 && Waiting >= limit;

    /// <summary>How many changes wait.</summary>
    public int Waiting => Volatile.Read(ref count);

    public Task RunAsync(CancellationToken cancellationToken) => loop.RunAsync(cancellationToken);

    /// <summary>Done when the change is stored; the result is the device as it is then, or null where there is none.</summary>
    /// <param name="whole">Whether the change needs all of the device, also what is not kept in memory.</param>
    public Task<EdgeDevice?> ApplyAsync(ObjectKey device, Func<EdgeDevice, EdgeDevice> change, CancellationToken cancellationToken, bool whole = false)
    {
        if (Waiting >= limit)
            throw new BusyException();
        return Enqueue(device, change, whole).WaitAsync(cancellationToken);
    }

    /// <summary>For changes that nobody waits for and that will be made again if they fail.</summary>
    public void Apply(ObjectKey device, Func<EdgeDevice, EdgeDevice> change)
    {
        if (Waiting < limit)
            _ = Enqueue(device, change, whole: false).ContinueWith(static done => done.Exception, TaskScheduler.Default);
    }

    /// <summary>As <see cref="Apply"/>, for what may wait a moment for the next change, to be written with it.</summary>
    public void ApplySoon(ObjectKey device, Func<EdgeDevice, EdgeDevice> change)
    {
        if (Waiting >= limit)
            return;
        _ = Wait(device, change, whole: false).Done.Task.ContinueWith(static done => done.Exception, TaskScheduler.Default);
        queue.AddAfter(device, Soon);
    }

    private Task<EdgeDevice?> Enqueue(ObjectKey device, Func<EdgeDevice, EdgeDevice> change, bool whole)
    {
        var waiting = Wait(device, change, whole);
        queue.Add(device);
        return waiting.Done.Task;
    }

    private Change Wait(ObjectKey device, Func<EdgeDevice, EdgeDevice> make, bool whole)
    {
        var waiting = new Change(make, whole, time.GetTimestamp());
        lock (gate)
        {
            if (!pending.TryGetValue(device, out var changes))
                pending[device] = changes = [];
            changes.Add(waiting);
            count++;
        }

        return waiting;
    }

    private async Task<ReconcileResult> WriteAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        List<Change>? changes;
        lock (gate)
        {
            if (!pending.Remove(key, out changes))
                return ReconcileResult.Done;
            count -= changes.Count;
        }

        await SettleAsync(key, changes, cancellationToken);
        return ReconcileResult.Done;
    }

    private async Task SettleAsync(ObjectKey key, List<Change> changes, CancellationToken cancellationToken)
    {
        try
        {
            var written = await WriteAsync(key, changes, cancellationToken);
            foreach (var change in changes)
                EdgeMetrics.Writes.Observe(time.GetElapsedTime(change.Since).TotalSeconds);
            foreach (var change in changes)
                change.Done.TrySetResult(written);
        }
        catch (KubeException unfit) when (unfit.IsUnfit && changes.Count > 1)
        {
            // One of them is: the others are not to suffer for it.
            foreach (var change in changes)
                await SettleAsync(key, [change], cancellationToken);
        }
        catch (Exception error)
        {
            // Why something does not fit quotes what a device sent.
            if (failed.Count() is { } times)
                LogFailed(key, error is KubeException { IsUnfit: true } unfit ? unfit.Reason : error.Message, times);
            foreach (var change in changes)
                change.Done.TrySetException(error);
        }
    }

    private async Task<EdgeDevice?> WriteAsync(ObjectKey key, List<Change> changes, CancellationToken cancellationToken)
    {
        var device = devices.Get(key);
        if (device?.Status?.HardwareDigest is not null && changes.Exists(change => change.Whole))
            device = null; // what is kept in memory lacks its facts
        var (conflicts, failures) = (0, 0);
        while (true)
        {
            try
            {
                device ??= await api.GetAsync<EdgeDevice>(key, cancellationToken);
                if (device == null)
                    return null;
                var wanted = changes.Aggregate(device, (current, change) => change.Make(current));
                return await WriteAsync(key, device, wanted, cancellationToken);
            }
            catch (KubeException gone) when (gone.IsNotFound)
            {
                return null;
            }
            catch (KubeException conflict) when (conflict.IsConflict && conflicts < Conflicts)
            {
                device = null; // look at it anew
                await Task.Delay(BetweenConflicts.After(conflicts++), time, cancellationToken);
            }
            catch (Exception error) when (failures < Failures && MayHelp(error))
            {
                device = null;
                var own = BetweenFailures.After(failures++);
                // Each of the writers waits as it is told to; what comes in meanwhile is merged, and beyond the limit devices are told to come back.
                var wait = (error as KubeException)?.RetryAfter is { } asked && asked > own ? asked : own;
                await Task.Delay(wait < LongestWait ? wait : LongestWait, time, cancellationToken);
            }
        }
    }

    private async Task<EdgeDevice> WriteAsync(ObjectKey key, EdgeDevice device, EdgeDevice wanted, CancellationToken cancellationToken)
    {
        // The status first: whoever sees the labels of a registered device also finds its certificate.
        var result = device;
        if (StatusPatch(device.Status, wanted.Status) is { } status)
        {
            var patch = new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = device.Metadata.ResourceVersion }, ["status"] = status };
            result = await api.MergePatchStatusAsync<EdgeDevice>(key, patch, cancellationToken);
            devices.Remember(result);
        }

        if (LabelPatch(device.Metadata.Labels, wanted.Metadata.Labels) is { } labels)
        {
            // No precondition: these keys are ours alone.
            result = await api.MergePatchAsync<EdgeDevice>(key, new JsonObject { ["metadata"] = new JsonObject { ["labels"] = labels } }, cancellationToken);
            devices.Remember(result);
        }

        return result;
    }

    /// <summary>Whether writing <paramref name="wanted"/> would write nothing.</summary>
    public static bool ChangesNothing(EdgeDevice device, EdgeDevice wanted) =>
        SaysTheSame(device.Status, wanted.Status) && LabelPatch(device.Metadata.Labels, wanted.Metadata.Labels) == null;

    // What is written is compared, and not yet taken apart.
    private static bool SaysTheSame(EdgeDeviceStatus? before, EdgeDeviceStatus? after)
    {
        if (ReferenceEquals(before, after))
            return true;
        if (before is null || after is null)
            return false;
        if (ReferenceEquals(before.Hardware, after.Hardware))
            (before, after) = (before with { Hardware = null }, after with { Hardware = null });
        return KubeJson.Bytes(before).AsSpan().SequenceEqual(KubeJson.Bytes(after));
    }

    internal static JsonObject? StatusPatch(EdgeDeviceStatus? before, EdgeDeviceStatus? after)
    {
        if (ReferenceEquals(before, after))
            return null;
        // Hardware is most of a status and rarely changes.
        if (ReferenceEquals(before?.Hardware, after?.Hardware))
            (before, after) = (before is null ? null : before with { Hardware = null }, after is null ? null : after with { Hardware = null });
        return MergePatch.Between(Node(before), Node(after));
    }

    private static JsonObject Node(EdgeDeviceStatus? status) =>
        status == null ? [] : KubeJson.Node(status)!.AsObject();

    private static JsonObject? LabelPatch(IDictionary<string, string>? before, IDictionary<string, string>? after) =>
        ReferenceEquals(before, after) ? null : MergePatch.Between(Node(before), Node(after));

    private static JsonObject Node(IDictionary<string, string>? labels) =>
        new((labels ?? new Dictionary<string, string>(StringComparer.Ordinal)).Select(label => KeyValuePair.Create(label.Key, (JsonNode?)label.Value)));

    private static bool MayHelp(Exception error) => error switch
    {
        KubeException refused => !refused.IsRefused,
        OperationCanceledException => false,
        _ => true,
    };

    public void Dispose() => queue.Dispose();

    private sealed class Change(Func<EdgeDevice, EdgeDevice> make, bool whole, long since)
    {
        public long Since { get; } = since;

        public bool Whole { get; } = whole;

        public Func<EdgeDevice, EdgeDevice> Make { get; } = make;

        public TaskCompletionSource<EdgeDevice?> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The status of {Device} could not be written: {Error} ({Times} such failures since this was last told)")]
    private partial void LogFailed(ObjectKey device, string error, int times);
}
