using System.Collections.Concurrent;
using Flotta.Agent.Logs;
using Flotta.Agent.Workloads;
using Flotta.Tests.Agent.Metrics;
using Flotta.Tests.Agent.Workloads;
using Flotta.Tests.ApiServer;
using Flotta.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Agent.Logs;

public sealed class LogsLoopTests
{
    [Fact]
    public async Task A_full_disk_ends_no_following_and_how_far_logs_were_sent_is_kept_once_there_is_room()
    {
        using var folder = new TemporaryFolder();
        var positions = folder.File("positions");
        await File.WriteAllTextAsync(positions, "c-gone 1\n", TestContext.Current.CancellationToken);
        // Nobody is too powerful for a folder in the way.
        Directory.CreateDirectory(positions + ".new");
        await using var podman = await FakePodman.StartAsync();
        var followed = new ConcurrentQueue<string>();
        var end = new TaskCompletionSource<string?>();
        podman.Fault = call =>
        {
            if (!call.EndsWith("/logs", StringComparison.Ordinal))
                return Task.FromResult<string?>(null);
            followed.Enqueue(call);
            return end.Task;
        };
        Run(podman, "till");
        using var client = new PodmanClient(podman.Socket);
        var time = new FakeTimeProvider();
        using var stop = new CancellationTokenSource();
        var slice = new DeviceConfigurationMessage
        {
            Configuration = new DeviceConfiguration { LogCollection = new Dictionary<string, LogCollection>(StringComparer.Ordinal) { ["central"] = new() { SyslogConfig = new SyslogConfiguration("127.0.0.1:514", "tcp") } } },
            Workloads = [new Workload { Name = "till", LogCollection = "central" }, new Workload { Name = "shop", LogCollection = "central" }],
        };
        var running = new LogsLoop(client, "till-07", positions, new SpokenReport(), NullLogger<LogsLoop>.Instance, time).RunAsync(slice, stop.Token);
        await Eventually.True(() => followed.Contains("GET containers/c-id-till/logs"));
        Run(podman, "shop");
        await LookingAsync(() => followed.Contains("GET containers/c-id-shop/logs"));
        Directory.Delete(positions + ".new");
        await LookingAsync(() => File.ReadAllText(positions).Length == 0);
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(running);
        end.SetResult("over");

        Task LookingAsync(Func<bool> condition) => Eventually.True(() =>
        {
            time.Advance(TimeSpan.FromSeconds(5));
            return condition();
        });
    }

    private static void Run(FakePodman podman, string name)
    {
        var pod = new FakePod("id-" + name, name, new() { [ObjectLabels.Managed] = "true", [ObjectLabels.Device] = "till-07", [ObjectLabels.Workload] = name }, "{}");
        pod.Set("running", "Running", 0);
        podman.Pods[name] = pod;
    }
}
