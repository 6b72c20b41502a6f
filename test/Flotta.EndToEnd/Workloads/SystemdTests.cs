using Flotta.Agent.Workloads;
using Flotta.Wire;

namespace Flotta.EndToEnd.Workloads;

/// <summary>Units on a real systemd with a real podman: what has proven itself starts at boot without the agent.</summary>
public sealed class SystemdTests(ITestOutputHelper log)
{
    private const string Unit = "flotta-workload-hello.service";
    private static readonly TimeSpan Patience = LoopOnPodman.Patience;

    [Fact]
    public async Task A_workload_starts_at_boot_without_the_agent_and_is_its_again_when_it_comes()
    {
        await using var machine = await SystemdMachine.StartAsync();
        await using var device = LoopOnPodman.StartOn(machine.Podman, "till-07", machine.Systemd);
        var unit = Path.Combine(machine.Systemd.UnitFolder, Unit);
        var link = Path.Combine(machine.Systemd.UnitFolder, "default.target.wants", Unit);
        var port = FreePort.Next();
        device.Loop.Apply(Hello(port, "first"));
        await machine.AnswersAsync(port);
        await device.ProvenAsync("hello");
        await Eventually.TrueAsync(() => Task.FromResult(File.Exists(unit) && File.Exists(link)), Patience);
        (await machine.StateOfAsync(Unit)).ShouldBe("inactive", "what runs is the agent's");
        File.GetUnixFileMode(Pod(device)).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);

        // Somebody meddles while the agent is away; it mends that, and touches nothing that is not its own.
        await device.StopAsync();
        var written = await File.ReadAllTextAsync(unit);
        await File.WriteAllTextAsync(unit, written.Replace("Restart=always", "Restart=no", StringComparison.Ordinal));
        File.Delete(link);
        var theirs = Path.Combine(machine.Systemd.UnitFolder, "flotta-workload-theirs.service");
        await File.WriteAllTextAsync(theirs, "[Service]\nExecStart=/bin/true\n");
        device.StartAgain();
        device.Loop.Apply(Hello(port, "first"));
        await Eventually.TrueAsync(async () => await File.ReadAllTextAsync(unit) == written && File.Exists(link), Patience);

        await device.StopAsync();
        Directory.CreateDirectory(unit + ".d");
        await File.WriteAllTextAsync(Path.Combine(unit + ".d", "soon.conf"), "[Service]\nRestartSec=1\n");
        var clock = System.Diagnostics.Stopwatch.StartNew();
        await machine.RebootAsync();
        await machine.AnswersAsync(port);
        log.WriteLine($"power on to answer, without the agent: {clock.ElapsedMilliseconds} ms");
        (await machine.StateOfAsync(Unit)).ShouldBe("active");
        (await device.Podman.RunAsync("exec", "hello-web", "/bin/cat", "/conf/colour", "/data/kept")).ReplaceLineEndings("").ShouldBe("greenkept");
        var first = await RunningAsync(device);
        await device.Podman.RunAsync("kill", "hello-web");
        await Eventually.TrueAsync(async () => await RunningAsync(device) is { Length: > 0 } now && now != first, Patience);
        await machine.AnswersAsync(port);

        // The agent finds its own pod and leaves it alone, until it has to change it.
        await device.Podman.StartServiceAsync();
        var before = await RunningAsync(device);
        device.StartAgain();
        device.Loop.Apply(Hello(port, "first"));
        await device.PhaseAsync("hello", "Running");
        (await RunningAsync(device)).ShouldBe(before);
        (await machine.StateOfAsync(Unit)).ShouldBe("active");

        var hash = await device.HashAsync("hello-web");
        device.Loop.Apply(Hello(port, "later"));
        await device.ReplacedAsync("hello-web", hash);
        (await File.ReadAllTextAsync(Pod(device))).ShouldContain("first", Case.Sensitive, "a boot now must start what has proven itself");
        await machine.AnswersAsync(port);
        (await machine.StateOfAsync(Unit)).ShouldNotBe("active");
        await Eventually.TrueAsync(async () => (await File.ReadAllTextAsync(Pod(device))).Contains("later", StringComparison.Ordinal), Patience);
        await device.PhaseAsync("hello", "Running");

        device.Apply();
        await Eventually.TrueAsync(async () => (await device.PodsAsync()).Length == 0 && !File.Exists(unit) && !File.Exists(link), Patience);
        File.Exists(theirs).ShouldBeTrue();
        await Eventually.TrueAsync(() => Task.FromResult(!Directory.Exists(Path.GetDirectoryName(Pod(device)))), Patience);
    }

    [Fact]
    public async Task Containers_of_a_user_without_rights_run_are_updated_and_start_at_boot_without_the_agent()
    {
        await using var machine = await SystemdMachine.StartRootlessAsync();
        await using var device = LoopOnPodman.StartOn(machine.Podman, "till-07", machine.Systemd);
        var user = machine.Systemd.User!;
        var unit = Path.Combine(machine.Systemd.UnitFolder, Unit);
        var link = Path.Combine(machine.Systemd.UnitFolder, "default.target.wants", Unit);
        unit.ShouldStartWith(user.Home);
        var port = FreePort.Next();
        device.Loop.Apply(Hello(port, "first"));
        await machine.AnswersAsync(port);
        await device.ProvenAsync("hello");
        await Eventually.TrueAsync(() => Task.FromResult(File.Exists(unit) && File.Exists(link)), Patience);
        (await machine.StateOfAsync(Unit)).ShouldBe("inactive", "what runs is the agent's");
        // It says that it is root, and is nobody's.
        (await device.Podman.RunAsync("exec", "hello-web", "/bin/busybox", "id", "-u")).Trim().ShouldBe("0");
        (await device.Podman.RunAsync("exec", "hello-web", "/bin/cat", "/conf/colour")).ShouldBe("green");
        (await device.Podman.TryAsync("exec", "hello-web", "/bin/sh", "-c", "echo red > /conf/other")).ExitCode.ShouldNotBe(0, "whose files these are is the agent's affair");
        var process = (await device.Podman.RunAsync("inspect", "-f", "{{.State.Pid}}", "hello-web")).Trim();
        (await machine.RunAsync("stat", "-c", "%u", "/proc/" + process)).Trim().ShouldBe(user.Id.ToString(System.Globalization.CultureInfo.InvariantCulture));

        var hash = await device.HashAsync("hello-web");
        device.Loop.Apply(Hello(port, "later"));
        await device.ReplacedAsync("hello-web", hash);
        await machine.AnswersAsync(port);
        await Eventually.TrueAsync(async () => (await File.ReadAllTextAsync(LastGood(device))).Contains("later", StringComparison.Ordinal), Patience);

        // Whether systemd hears what podman says is a race that podman loses now and then: it has to work both ways.
        await device.StopAsync();
        Directory.CreateDirectory(unit + ".d");
        foreach (var access in new[] { "none", "all" })
        {
            await File.WriteAllTextAsync(Path.Combine(unit + ".d", "heard.conf"), $"[Service]\nNotifyAccess={access}\nRestartSec=1\n");
            await machine.RebootAsync();
            await machine.AnswersAsync(port);
            await Eventually.TrueAsync(async () => await machine.StateOfAsync(Unit) == "active", Patience, () => machine.Said);
            var ended = await RunningAsync(device);
            await device.Podman.RunAsync("kill", "hello-web");
            await Eventually.TrueAsync(async () => await RunningAsync(device) is { Length: > 0 } now && now != ended, Patience, () => $"{access}: {machine.Said}");
            await machine.AnswersAsync(port);
            await Eventually.TrueAsync(async () => await machine.StateOfAsync(Unit) == "active", Patience, () => machine.Said);
        }
        await device.Podman.StartServiceAsync();
        var first = await RunningAsync(device);
        device.StartAgain();
        device.Loop.Apply(Hello(port, "later"));
        await device.PhaseAsync("hello", "Running");
        (await RunningAsync(device)).ShouldBe(first);
        (await machine.StateOfAsync(Unit)).ShouldBe("active");

        device.Apply();
        await Eventually.TrueAsync(async () => (await device.PodsAsync()).Length == 0 && !File.Exists(unit), 2 * Patience, () => machine.Said);
    }

    private static string Pod(LoopOnPodman device) => Path.Combine(device.Place, "workloads", "hello", "pod.yaml");

    private static string LastGood(LoopOnPodman device) => Path.Combine(device.Place, "workloads", "hello", "last-good.json");

    private static async Task<string> RunningAsync(LoopOnPodman device) =>
        (await device.Podman.RunAsync("ps", "--no-trunc", "--filter", "name=^hello-web$", "--filter", "status=running", "--format", "{{.ID}}")).Trim();

    private static DesiredWorkloads Hello(int port, string greeting) => new(
        [
            Sample.Web("hello", port, greeting: greeting) with
            {
                Configmaps = ["kind: ConfigMap\nmetadata: {name: paint}\ndata: {colour: green}\n"],
                Specification = Sample.Web("hello", port, greeting: greeting).Specification!.TrimEnd() + $$"""

                      volumeMounts:
                      - {name: conf, mountPath: /conf}
                      - {name: data, mountPath: /data}
                      - {name: scratch, mountPath: /scratch}
                    initContainers:
                    - name: prepare
                      image: {{PodmanHost.Image}}
                      command: [/bin/sh, -c, "echo kept > /data/kept; echo x > /scratch/x"]
                      volumeMounts:
                      - {name: data, mountPath: /data}
                      - {name: scratch, mountPath: /scratch}
                    volumes:
                    - {name: conf, configMap: {name: paint} }
                    - {name: data, persistentVolumeClaim: {claimName: data} }
                    - {name: scratch, emptyDir: {} }
                    """,
            },
        ],
        []);
}
