using Flotta.Agent.Duties;
using Flotta.Agent.Heartbeats;
using Flotta.Agent.Workloads;
using Flotta.Wire;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Logs;

/// <summary>Follows the containers of the workloads that name a log target, and keeps a sender for each target that is named.</summary>
internal sealed partial class LogsLoop(PodmanClient podman, string deviceId, string positionsFile, IDutyReport report, ILogger<LogsLoop> logger, TimeProvider time)
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(5);

    // What ran before logs were asked for is not sent in its whole length.
    private static readonly TimeSpan LookBack = TimeSpan.FromMinutes(1);

    private string? _unkept;

    public DutyFacts Facts { get; init; } = new();

    /// <summary>The part of the configuration that concerns logs; null when no workload names a target.</summary>
    public static DeviceConfigurationMessage? Slice(DeviceConfigurationMessage configuration)
    {
        var workloads = (configuration.Workloads ?? [])
            .Where(workload => !string.IsNullOrEmpty(workload.LogCollection) && !string.IsNullOrEmpty(workload.Name))
            .DistinctBy(workload => workload.Name, StringComparer.Ordinal)
            .Select(workload => new Workload { Name = workload.Name, LogCollection = workload.LogCollection })
            .ToList();
        return workloads.Count == 0 ? null : new DeviceConfigurationMessage
        {
            Configuration = new DeviceConfiguration { LogCollection = configuration.Configuration?.LogCollection },
            Workloads = workloads,
        };
    }

    public async Task RunAsync(DeviceConfigurationMessage slice, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var positions = new LogPositions(positionsFile, now - LookBack, now);
        var buffers = new Dictionary<string, LogBuffer>(StringComparer.Ordinal);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var tasks = new List<Task>();
        var names = slice.Workloads!.Select(workload => workload.LogCollection!).Distinct(StringComparer.Ordinal).ToList();
        Facts.DeliversOnlyTo(DeliveryKinds.Logs, names);
        foreach (var name in names)
        {
            if (slice.Configuration?.LogCollection?.GetValueOrDefault(name) is not { } collection)
            {
                report.Warn("LogTargetUnreachable", $"The log target {name} is not configured for this device");
                Facts.Delivers(DeliveryKinds.Logs, name, "it is not configured for this device");
                continue;
            }

            var target = LogTarget.Of(name, collection);
            buffers[name] = new LogBuffer(target.BufferBytes);
            tasks.Add(new SyslogSender(target, buffers[name], deviceId, report, logger, time)
            {
                Sent = line => positions.Sent(line.ContainerId, line.Time),
                Delivers = problem => Facts.Delivers(DeliveryKinds.Logs, name, problem),
            }.RunAsync(stop.Token));
        }

        var targets = slice.Workloads!.Where(workload => buffers.ContainsKey(workload.LogCollection!)).ToDictionary(workload => workload.Name!, workload => buffers[workload.LogCollection!], StringComparer.Ordinal);
        tasks.Add(LookAsync(targets, positions, stop.Token));
        var first = await Task.WhenAny(tasks);
        await stop.CancelAsync();
        await Task.WhenAll(tasks).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        await first;
    }

    private async Task LookAsync(Dictionary<string, LogBuffer> targets, LogPositions positions, CancellationToken cancellationToken)
    {
        var followed = new Dictionary<string, (Task Following, bool Running)>(StringComparer.Ordinal);
        HashSet<string> there = [];
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            while (true)
            {
                try
                {
                    var pods = (await podman.ListPodsAsync(cancellationToken)).Select(pod => ActualPod.From(pod, deviceId)).ToList();
                    there = pods.SelectMany(pod => pod.Containers).Select(container => container.Id).ToHashSet(StringComparer.Ordinal);
                    foreach (var (workload, buffer) in targets)
                    {
                        foreach (var container in pods.Where(pod => pod.IsOf(workload)).SelectMany(pod => pod.Containers).Where(container => !container.NeverRan))
                            Follow(workload, container, buffer);
                    }

                    foreach (var gone in followed.Keys.Where(id => !there.Contains(id) && followed[id].Following.IsCompleted).ToList())
                        followed.Remove(gone);
                    Save(positions, there);
                }
                catch (PodmanException)
                {
                    // The workload loop says so; containers go on writing, and podman keeps it.
                }

                await Task.Delay(BetweenLooks, time, cancellationToken);
            }
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(followed.Values.Select(one => one.Following));
            if (there.Count > 0)
                Save(positions, there);
        }

        void Follow(string workload, ActualContainer container, LogBuffer buffer)
        {
            // One that ended is read to its end once; one that runs is followed again when the stream breaks.
            if (followed.TryGetValue(container.Id, out var before) && (!before.Following.IsCompleted || (!container.Running && !before.Running)))
                return;
            var last = before.Following is Task<DateTimeOffset> read ? read.Result : positions.Of(container.Id);
            followed[container.Id] = (FollowAsync(workload, container, last, buffer, stop.Token), container.Running);
        }
    }

    private void Save(LogPositions positions, HashSet<string> containers)
    {
        try
        {
            positions.Save(containers);
            _unkept = null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Should the agent end now, what was sent since the last time is sent again.
            if (_unkept != exception.Message)
                LogNotKept(logger, exception.Message);
            _unkept = exception.Message;
        }
    }

    /// <returns>The time of the last line that was read.</returns>
    private async Task<DateTimeOffset> FollowAsync(string workload, ActualContainer container, DateTimeOffset last, LogBuffer buffer, CancellationToken cancellationToken)
    {
        var name = container.Name.StartsWith(workload + "-", StringComparison.Ordinal) ? container.Name[(workload.Length + 1)..] : container.Name;
        try
        {
            await using var stream = await podman.LogsAsync(container.Id, last, cancellationToken);
            var already = last;
            await foreach (var (at, text) in LogFrames.ReadAsync(stream, cancellationToken))
            {
                // podman looks back by whole seconds.
                if (at <= already)
                    continue;
                last = at;
                buffer.Add(new LogLine(workload, name, at, text) { ContainerId = container.Id });
            }
        }
        catch (Exception exception) when (exception is PodmanException or IOException or HttpRequestException or OperationCanceledException)
        {
            LogEnded(logger, workload, name, exception.Message);
        }

        return last;
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "following {Workload}/{Container} ended: {Reason}")]
    private static partial void LogEnded(ILogger logger, string workload, string container, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "how far logs were sent cannot be kept: {Problem}")]
    private static partial void LogNotKept(ILogger logger, string problem);
}
