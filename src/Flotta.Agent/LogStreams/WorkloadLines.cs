using Flotta.Agent.Workloads;
using Flotta.Wire;

namespace Flotta.Agent.LogStreams;

/// <summary>The lines of one workload's containers as podman has them, and where that is asked for, those that come, also of containers that come later.</summary>
internal sealed class WorkloadLines(PodmanClient podman, string deviceId, LogArguments asked, TimeProvider time)
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(1);

    public async Task WriteAsync(Func<LogRecord, Task> write, CancellationToken cancellationToken)
    {
        var since = asked.Since is { } back ? time.GetUtcNow() - back : DateTimeOffset.UnixEpoch;
        var read = new Dictionary<string, Task<DateTimeOffset>>(StringComparer.Ordinal);
        try
        {
            var pods = await LookAsync(cancellationToken);
            var found = ContainersOf(pods);
            if (Missing(pods, found) is { } problem)
            {
                await write(new LogRecord { End = problem });
                return;
            }

            if (!asked.Follow)
            {
                foreach (var container in found)
                    await ReadAsync(container, since, asked.Tail, write, cancellationToken);
                return;
            }

            while (true)
            {
                foreach (var container in found.Where(container => !read.TryGetValue(container.Id, out var before) || (before.IsCompleted && container.Running)))
                {
                    var before = read.GetValueOrDefault(container.Id);
                    read[container.Id] = ReadAsync(container, before is null ? since : await before, before is null ? asked.Tail : null, write, cancellationToken);
                }

                // A reader that failed has the reason.
                foreach (var ended in read.Values.Where(one => one.IsFaulted))
                    await ended;
                await Task.Delay(BetweenLooks, time, cancellationToken);
                found = ContainersOf(await LookAsync(cancellationToken));
            }
        }
        catch (PodmanException exception)
        {
            await write(new LogRecord { End = exception.Message });
        }
        finally
        {
            await Task.WhenAll(read.Values).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private async Task<List<ActualPod>> LookAsync(CancellationToken cancellationToken) =>
        [.. (await podman.ListPodsAsync(cancellationToken)).Select(pod => ActualPod.From(pod, deviceId)).Where(pod => pod.Ours && !pod.Rehearsal)];

    private List<ActualContainer> ContainersOf(List<ActualPod> pods) =>
        [.. pods.Where(pod => pod.IsOf(asked.Workload)).SelectMany(pod => pod.Containers).Where(container => asked.Container is null || NameOf(container) == asked.Container)];

    private string? Missing(List<ActualPod> pods, List<ActualContainer> found)
    {
        if (found.Count > 0)
            return null;
        if (pods.FirstOrDefault(pod => pod.IsOf(asked.Workload)) is { } pod)
            return $"the workload has no container {asked.Container}; its containers are: {string.Join(", ", pod.Containers.Select(NameOf))}";
        var others = pods.Select(one => one.Workload).Order(StringComparer.Ordinal).ToList();
        return others.Count == 0
            ? $"no workload {asked.Workload} is on this device, nor any other"
            : $"no workload {asked.Workload} is on this device; these are: {string.Join(", ", others.Take(50))}";
    }

    /// <returns>The time of the last line.</returns>
    private async Task<DateTimeOffset> ReadAsync(ActualContainer container, DateTimeOffset since, int? tail, Func<LogRecord, Task> write, CancellationToken cancellationToken)
    {
        var last = since;
        if (container.NeverRan)
            return last;
        await using var stream = await podman.LogsAsync(container.Id, since, asked.Follow, tail, cancellationToken);
        await foreach (var (at, text) in LogFrames.ReadAsync(stream, cancellationToken))
        {
            // podman looks back by whole seconds.
            if (at <= since)
                continue;
            last = at;
            await write(new LogRecord { Container = NameOf(container), Time = at, Line = text });
        }

        return last;
    }

    private string NameOf(ActualContainer container) =>
        container.Name.StartsWith(asked.Workload + "-", StringComparison.Ordinal) ? container.Name[(asked.Workload.Length + 1)..] : container.Name;
}
