using Flotta.Agent.Workloads;
using Flotta.Wire;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Agent.Workloads;

/// <summary>The loop against a stand-in for podman, on a clock that the tests move.</summary>
public sealed class WorkloadLoopTests : IAsyncDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("flotta-loop-").FullName;
    private readonly FakeTimeProvider _time = new();
    private readonly List<WorkloadEvent> _events = [];
    private FakePodman _podman = null!;
    private PodmanClient _client = null!;
    private WorkloadLoop _loop = null!;
    private CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _podman.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }

    [Fact]
    public async Task Before_anything_is_applied_nothing_is_touched()
    {
        await StartAsync(podman => AddOurs(podman, "old"));
        for (var minute = 0; minute < 10; minute++)
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            await Task.Yield();
        }
        _podman.Calls.ShouldBeEmpty();
        _loop.Apply(DesiredWorkloads.None);
        await UntilAsync(() => _podman.Pods.IsEmpty);
    }

    [Fact]
    public async Task A_failed_pull_of_an_update_leaves_the_old_pod_alone_and_is_told_once()
    {
        await RunningAsync();
        var old = _podman.Pods["web"].Id;
        _podman.Calls.Clear();
        Apply(Desired.Web(image: "localhost/web:3"));
        await UntilAsync(() => _podman.CallsOf("images/pull").Count() >= 4);

        _podman.CallsOf("pods/").ShouldBeEmpty();
        _podman.Pods["web"].Id.ShouldBe(old);
        State("web").Phase.ShouldBe("Running");
        State("web").Reason.ShouldBe(Reasons.ImagePullFailed);
        State("web").Message!.ShouldContain("manifest unknown");
        TakeEvents().Where(happened => happened.Type == "warn").ShouldHaveSingleItem().Message.ShouldContain("localhost/web:3");

        _podman.Images["localhost/web:3"] = true;
        await UntilAsync(() => State("web") is { Phase: "Running", Reason: null } && Document("web").Contains("web:3", StringComparison.Ordinal));
        await UntilAsync(() => TakeEvents().Exists(happened => happened is { Type: "info", Reason: Reasons.Recovered }));
    }

    [Fact]
    public async Task An_update_that_podman_refuses_to_create_does_not_cost_the_old_pod_its_life()
    {
        await RunningAsync();
        var old = _podman.Pods["web"].Id;
        _podman.Fault = call => Task.FromResult(call.Contains("play/kube", StringComparison.Ordinal) ? "invalid device mode" : null);
        Apply(Desired.Web(image: "localhost/web:2"));
        await UntilAsync(() => State("web").Reason == Reasons.CreateFailed);

        _podman.Pods.Keys.ShouldBe(["web"]);
        _podman.Pods["web"].Id.ShouldBe(old);
        _podman.CallsOf("/stop").ShouldBeEmpty();
        State("web").Message!.ShouldContain("invalid device mode");
    }

    [Fact]
    public async Task An_update_that_does_not_start_is_taken_back_and_not_tried_at_once_again_by_the_next_agent()
    {
        await RunningAsync();
        var hash = _podman.Pods["web"].Labels["project-flotta.io/hash"];
        _podman.Fault = call => Task.FromResult(call.EndsWith("/start", StringComparison.Ordinal) && Document("web").Contains("web:2", StringComparison.Ordinal) ? "no such command" : null);
        Apply(Desired.Web(image: "localhost/web:2"));
        await UntilAsync(() => State("web") is { Phase: "Running", Reason: Reasons.StartFailed });

        _podman.Pods["web"].Labels["project-flotta.io/hash"].ShouldBe(hash);
        State("web").Message!.ShouldContain("the previous version runs on");
        var id = _podman.Pods["web"].Id;

        await StopAsync();
        Start();
        Apply(Desired.Web(image: "localhost/web:2"));
        await UntilAsync(() => State("web").Reason == Reasons.StartFailed);
        _podman.Pods["web"].Id.ShouldBe(id);
    }

    [Fact]
    public async Task An_update_that_starts_and_keeps_ending_is_rolled_back_and_said_so()
    {
        await RunningAsync();
        var hash = _podman.Pods["web"].Labels["project-flotta.io/hash"];
        Apply(Desired.Web(image: "localhost/web:2"));
        await UntilAsync(() => Document("web").Contains("web:2", StringComparison.Ordinal));
        await UntilAsync(() =>
        {
            if (Document("web").Contains("web:2", StringComparison.Ordinal) && _podman.Pods["web"].Status == "Running")
                _podman.Exit("web", 3);
            return State("web").Reason == Reasons.RolledBack;
        });
        _podman.Pods["web"].Labels["project-flotta.io/hash"].ShouldBe(hash);
        _podman.Pods["web"].Status.ShouldBe("Running");
        State("web").Message!.ShouldContain("ended with code 3; the previous version runs on");
        TakeEvents().ShouldContain(happened => happened.Reason == Reasons.RolledBack && happened.Type == "warn");

        // The next version is tried at once.
        Apply(Desired.Web(image: "localhost/web:2", extra: "restartPolicy: OnFailure"));
        await UntilAsync(() => State("web") is { Phase: "Running", Reason: null } && Document("web").Contains("web:2", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_taken_back_is_the_image_that_ran_whatever_its_name_means_by_now()
    {
        await RunningAsync();
        var (hash, image) = (_podman.Pods["web"].Labels["project-flotta.io/hash"], _podman.Pods["web"].Image);
        _podman.Ids["localhost/web:1"] = new string('b', 64);
        Apply(Desired.Web(extra: "restartPolicy: OnFailure"));
        await UntilAsync(() => _podman.Pods["web"].Labels["project-flotta.io/hash"] != hash);
        _podman.Pods["web"].Image.ShouldBe(new string('b', 64));
        await UntilAsync(() =>
        {
            if (_podman.Pods.GetValueOrDefault("web") is { Status: "Running" } pod && pod.Labels["project-flotta.io/hash"] != hash)
                _podman.Exit("web", 3);
            return State("web").Reason == Reasons.RolledBack;
        });
        _podman.Pods["web"].Labels["project-flotta.io/hash"].ShouldBe(hash);
        _podman.Pods["web"].Image.ShouldBe(image);
    }

    [Fact]
    public async Task A_workload_that_is_wanted_again_while_it_is_removed_begins_anew()
    {
        await RunningAsync();
        var reached = new TaskCompletionSource();
        _podman.Fault = async call =>
        {
            if (!call.Contains("DELETE pods", StringComparison.Ordinal))
                return null;
            reached.TrySetResult();
            while (!_podman.Calls.Contains("again"))
                await Task.Delay(TimeSpan.FromMilliseconds(1));
            return null;
        };
        _loop.Apply(DesiredWorkloads.None);
        await UntilAsync(() => reached.Task.IsCompleted);
        Apply(Desired.Web());
        _podman.Calls.Enqueue("again");
        await UntilAsync(() => State("web") is { Phase: "Running", Reason: null } && _podman.CallsOf("play/kube").Count() == 2);
        await UntilAsync(() => File.Exists(Path.Combine(_data, "workloads", "web", "last-good.json")));
    }

    [Fact]
    public async Task What_is_left_of_a_workload_without_a_pod_goes_and_is_no_last_good_version_of_another_one()
    {
        var left = Directory.CreateDirectory(Path.Combine(_data, "workloads", "gone", "files"));
        File.WriteAllText(Path.Combine(left.FullName, "key"), "secret");
        await RunningAsync();
        await UntilAsync(() => !Directory.Exists(Path.Combine(_data, "workloads", "gone")));
        Directory.Exists(Path.Combine(_data, "workloads", "web")).ShouldBeTrue();
    }

    [Fact]
    public async Task An_image_that_loses_its_name_to_a_newer_one_is_still_the_agents_to_remove()
    {
        await StartAsync();
        var pulled = new PulledImages(_client, new WorkloadFolders(_data), NullLogger.Instance);
        var pull = new ImagePull(_client, pulled, _ => Task.CompletedTask, _ => { });
        var (old, somebodys) = (new string('a', 64), _podman.IdOf("localhost/web:1"));
        _podman.Registry["registry/app:latest"] = old;
        await pull.RunAsync(new ImageNeed("registry/app:latest", PullPolicy.Always), null, CancellationToken.None);
        _podman.Registry["registry/app:latest"] = new string('b', 64);
        await pull.RunAsync(new ImageNeed("registry/app:latest", PullPolicy.Always), null, CancellationToken.None);
        (await pulled.HasAsync(old, CancellationToken.None)).ShouldBeTrue();

        _podman.Registry["localhost/web:1"] = new string('c', 64);
        await pull.RunAsync(new ImageNeed("localhost/web:1", PullPolicy.Always), null, CancellationToken.None);
        (await pulled.HasAsync(somebodys, CancellationToken.None)).ShouldBeFalse("it was there before");
    }

    [Theory]
    [InlineData("/stop")]
    [InlineData("DELETE pods")]
    [InlineData("play/kube")]
    [InlineData("/start")]
    public async Task An_agent_that_dies_in_the_middle_of_an_update_is_followed_by_one_that_finishes_it(string at)
    {
        await RunningAsync();
        var reached = new TaskCompletionSource();
        // As a kill does: the call arrives at podman, and nobody waits for its end any more.
        _podman.Fault = async call =>
        {
            if (!call.Contains(at, StringComparison.Ordinal))
                return null;
            reached.TrySetResult();
            await Task.Delay(TimeSpan.FromMilliseconds(1));
            return "killed";
        };
        Apply(Desired.Web(image: "localhost/web:2"));
        await UntilAsync(() => reached.Task.IsCompleted);
        await StopAsync();
        _podman.Fault = _ => Task.FromResult<string?>(null);
        File.Delete(Path.Combine(_data, "workloads", "web", "failed.json"));

        Start();
        Apply(Desired.Web(image: "localhost/web:2"));
        await UntilAsync(() => State("web") is { Phase: "Running", Reason: null } && Document("web").Contains("web:2", StringComparison.Ordinal));
        _podman.Pods.Keys.ShouldBe(["web"]);
    }

    [Fact]
    public async Task Another_agent_later_touches_nothing_that_is_as_desired()
    {
        await RunningAsync();
        await StopAsync();
        _podman.Calls.Clear();
        Start();
        Apply(Desired.Web());
        await UntilAsync(() => State("web") is { Phase: "Running", Reason: null });
        _podman.Calls.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_registry_that_stalls_delays_no_other_workload_and_no_change_of_mind()
    {
        await StartAsync();
        _podman.Fault = async call =>
        {
            if (call.Contains("slow", StringComparison.Ordinal) && call.Contains("pull", StringComparison.Ordinal))
                await Task.Delay(Timeout.Infinite, _stop.Token).ContinueWith(_ => { }, TaskScheduler.Default);
            return null;
        };
        Apply(Desired.Web("stuck", "r.example/slow:1"), Desired.Web());
        await UntilAsync(() => State("web").Phase == "Running");
        await UntilAsync(() => State("stuck") is { Phase: "Deploying", Reason: Reasons.Pulling });
        Apply(Desired.Web("stuck"), Desired.Web());
        await UntilAsync(() => State("stuck") is { Phase: "Running", Reason: null });
    }

    [Fact]
    public async Task A_container_that_ends_again_and_again_is_started_with_growing_pauses_and_told_once()
    {
        await RunningAsync();
        for (var round = 0; round < 5; round++)
        {
            _podman.Exit("web", 3);
            await UntilAsync(() => _podman.Pods["web"].Status == "Running");
        }
        _podman.Exit("web", 3);
        await UntilAsync(() => State("web") is { Phase: "Exited", Reason: Reasons.ContainerExited }, advance: false);
        State("web").Message!.ShouldContain("ended with code 3");
        TakeEvents().Where(happened => happened.Type == "warn").ShouldHaveSingleItem();
        _podman.Pods["web"].Status.ShouldBe("Exited");
        await UntilAsync(() => _podman.Pods["web"].Status == "Running");
        await UntilAsync(() => TakeEvents().Exists(happened => happened.Reason == Reasons.Recovered));
    }

    [Fact]
    public async Task Without_podman_the_reason_is_told_and_nothing_is_forgotten()
    {
        await RunningAsync();
        await _podman.StopServerAsync();
        _podman.Happen("pod", "stop");
        await UntilAsync(() => State("web").Reason == Reasons.PodmanUnavailable);
        State("web").Phase.ShouldBe("Running");
        State("web").Message!.ShouldContain("podman.sock is not there");
        await UntilAsync(() => TakeEvents().Exists(happened => happened.Reason == Reasons.PodmanUnavailable));

        await _podman.StartServerAsync();
        _podman.Calls.Clear();
        await UntilAsync(() => State("web") is { Phase: "Running", Reason: null });
        await UntilAsync(() => TakeEvents().Exists(happened => happened.Reason == Reasons.Recovered));
        _podman.Calls.ShouldBeEmpty();
        _events.Count(happened => happened.Reason == Reasons.PodmanUnavailable).ShouldBe(1);
    }

    [Fact]
    public async Task A_podman_that_is_too_old_is_named()
    {
        await StartAsync(podman => podman.Version = "4.1.0");
        Apply(Desired.Web());
        await UntilAsync(() => State("web").Reason == Reasons.PodmanUnavailable);
        State("web").Message.ShouldBe("podman 4.1.0 is too old: 4.3 or later is needed");
    }

    [Fact]
    public async Task An_event_stream_that_ends_is_opened_again_without_spinning()
    {
        await RunningAsync();
        await UntilAsync(() => _podman.EventStreams > 0);
        var before = _podman.EventStreams;
        _podman.EndStreams();
        await UntilAsync(() => _podman.EventStreams > before);
        _podman.EventStreams.ShouldBe(before + 1);
        await UntilAsync(() => State("web").Phase == "Running");
        _podman.Exit("web", 0);
        await UntilAsync(() => _podman.Pods["web"].Status == "Running", advance: false);
    }

    [Fact]
    public async Task Farewell_removes_what_is_ours_and_nothing_else()
    {
        await StartAsync(podman =>
        {
            AddOurs(podman, "stray");
            podman.Pods["theirs"] = new FakePod("t1", "theirs", [], "{}");
            podman.Pods["neighbour"] = new FakePod("t2", "neighbour", new() { ["project-flotta.io/managed"] = "true", ["project-flotta.io/device"] = "till-08" }, "{}");
        });
        Apply(Desired.Web(), Desired.Web("theirs"));
        await UntilAsync(() => State("web").Phase == "Running" && State("theirs").Reason == Reasons.NameTaken);
        var farewell = _loop.RemoveAllAsync(CancellationToken.None);
        await UntilAsync(() => farewell.IsCompleted);
        await farewell;
        _podman.Pods.Keys.Order(StringComparer.Ordinal).ShouldBe(["neighbour", "theirs"]);
        _podman.Calls.ShouldAllBe(call => !call.Contains("/t1", StringComparison.Ordinal) && !call.Contains("/t2", StringComparison.Ordinal));
        Directory.GetFileSystemEntries(_data).ShouldBeEmpty();
        _loop.States.ShouldBeEmpty();
        Apply(Desired.Web());
        _loop.States.ShouldBeEmpty();
    }

    private async Task RunningAsync()
    {
        await StartAsync();
        Apply(Desired.Web());
        await UntilAsync(() => State("web") is { Phase: "Running", Reason: null });
        await UntilAsync(() => File.Exists(Path.Combine(_data, "workloads", "web", "last-good.json")));
        TakeEvents();
    }

    private async Task StartAsync(Action<FakePodman>? prepare = null)
    {
        _podman = await FakePodman.StartAsync();
        prepare?.Invoke(_podman);
        Start();
    }

    private void Start()
    {
        _stop = new CancellationTokenSource();
        _client = new PodmanClient(_podman.Socket, _time);
        _loop = new WorkloadLoop(_client, "till-07", _data, _time, NullLogger<WorkloadLoop>.Instance);
        _running = _loop.RunAsync(_stop.Token);
    }

    private async Task StopAsync()
    {
        await _stop.CancelAsync();
        while (!_running.IsCompleted)
            await Task.WhenAny(_running, AdvanceAsync());
        await _running;
        _client.Dispose();
    }

    private void Apply(params Workload[] workloads) => _loop.Apply(new DesiredWorkloads(workloads, []));

    private WorkloadState State(string name) => _loop.States.FirstOrDefault(state => state.Name == name) ?? new WorkloadState(name, "", null, null, null);

    private string Document(string pod) => _podman.Pods.TryGetValue(pod, out var there) ? there.Document : "";

    private List<WorkloadEvent> TakeEvents()
    {
        _events.AddRange(_loop.TakeEvents());
        return _events;
    }

    /// <summary>Moves the clock on, a little at a time, until it is so. Without <paramref name="advance"/> only by what the loop rests between two looks.</summary>
    private async Task UntilAsync(Func<bool> condition, bool advance = true, [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(condition))] string? what = null)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (!condition())
        {
            if (clock.Elapsed > TimeSpan.FromSeconds(40))
                Assert.Fail($"did not come true: {what}; {string.Join("; ", _loop.States)}; {string.Join(", ", _podman.Calls)}; {string.Join("; ", _events)}");
            if (advance)
                await AdvanceAsync();
            else
                await Task.Delay(5).ContinueWith(_ => _time.Advance(TimeSpan.FromMilliseconds(20)), TaskScheduler.Default);
        }
    }

    private async Task AdvanceAsync()
    {
        await Task.Delay(5);
        _time.Advance(TimeSpan.FromMilliseconds(250));
    }

    private static void AddOurs(FakePodman podman, string name) =>
        podman.Pods[name] = new FakePod("id-" + name, name, new() { ["project-flotta.io/managed"] = "true", ["project-flotta.io/device"] = "till-07", ["project-flotta.io/workload"] = name }, "{}");
}
