using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Flotta.Agent.Workloads;
using Flotta.Wire;

namespace Flotta.EndToEnd.Workloads;

/// <summary>What goes wrong on a real podman: said why, others run on, and mended without anybody touching the device.</summary>
public sealed class BrokenWorkloadTests
{
    private static readonly TimeSpan Patience = LoopOnPodman.Patience;

    [Fact]
    public async Task Each_broken_workload_says_why_and_the_good_one_runs()
    {
        await using var device = await LoopOnPodman.StartAsync();
        var (good, taken) = (FreePort.Next(), FreePort.Next());
        using var other = new TcpListener(IPAddress.Any, taken);
        other.Start();
        device.Apply(
            Sample.Web("no-image", FreePort.Next(), image: "localhost/no-such-image:1"),
            Sample.Web("port-taken", taken),
            Sample.Shell("no-command", "exit 0") with { Specification = $"containers: [{{name: main, image: '{PodmanHost.Image}', command: [/bin/nope]}}]" },
            Sample.Web("no-sense", FreePort.Next()) with { Specification = "containers: {" },
            Sample.Web("good", good));
        await Web.AnswersAsync(good, Patience);
        await device.PhaseAsync("good", "Running");
        await device.ReasonAsync("no-image", Reasons.ImagePullFailed);
        await device.ReasonAsync("port-taken", Reasons.PortInUse);
        await device.ReasonAsync("no-command", Reasons.StartFailed);
        await device.ReasonAsync("no-sense", Reasons.InvalidSpecification);
        device.State("no-image")!.Phase.ShouldBe("Deploying");
        device.State("port-taken")!.Phase.ShouldBe("Created");
        device.State("port-taken")!.Message!.ShouldContain(taken.ToString(CultureInfo.InvariantCulture));
        await device.EventAsync("warn", Reasons.PortInUse);
        await device.EventAsync("warn", Reasons.ImagePullFailed);

        other.Stop();
        await device.PhaseAsync("port-taken", "Running");
        await Web.AnswersAsync(taken, Patience);
        await device.Podman.RunAsync("tag", PodmanHost.Image, "localhost/no-such-image:1");
        await Eventually.TrueAsync(() => Task.FromResult(device.State("no-image") is { Phase: "Running", Reason: null }), TimeSpan.FromSeconds(90));
        await device.EventAsync("info", Reasons.Recovered);
    }

    [Fact]
    public async Task An_update_that_cannot_run_leaves_the_old_version_running()
    {
        await using var device = await LoopOnPodman.StartAsync();
        var (port, taken) = (FreePort.Next(), FreePort.Next());
        using var other = new TcpListener(IPAddress.Any, taken);
        other.Start();
        device.Apply(Sample.Web("hello", port));
        await Web.AnswersAsync(port, Patience);
        await device.ProvenAsync("hello");
        var before = await device.ContainersAsync();

        device.Apply(Sample.Web("hello", port, image: "localhost/no-such-image:1"));
        await device.ReasonAsync("hello", Reasons.ImagePullFailed);
        device.Apply(Sample.Web("hello", taken));
        await device.ReasonAsync("hello", Reasons.PortInUse);
        device.Apply(Sample.Web("hello", port, extra: "volumes: [{name: v, hostPath: {path: /no/such/folder, type: Directory}}]"));
        await device.ReasonAsync("hello", Reasons.CreateFailed);
        (await device.ContainersAsync()).ShouldBe(before, "nothing so far had to touch what runs");
        device.State("hello")!.Phase.ShouldBe("Running");

        device.Apply(Sample.Web("hello", port) with { Specification = Sample.Web("hello", port).Specification!.Replace("/bin/httpd", "/bin/nope", StringComparison.Ordinal) });
        await device.ReasonAsync("hello", Reasons.StartFailed);
        device.State("hello")!.Message!.ShouldContain("the previous version runs on");
        await Web.AnswersAsync(port, Patience);

        // One that starts well and then falls over, again and again.
        device.Apply(Sample.Web("hello", port) with { Specification = Sample.Web("hello", port).Specification!.Replace("\"/bin/httpd\", \"-f\"", "\"/bin/sh\", \"-c\", \"exit 7\", \"-f\"", StringComparison.Ordinal) });
        await device.ReasonAsync("hello", Reasons.RolledBack);
        device.State("hello")!.Message!.ShouldContain("ended with code 7; the previous version runs on");
        await Web.AnswersAsync(port, Patience);
        await device.EventAsync("warn", Reasons.RolledBack);
        device.Apply(Sample.Web("hello", port));
        await device.PhaseAsync("hello", "Running");
        await Web.AnswersAsync(port, Patience);
    }

    [Fact]
    public async Task What_is_stopped_or_killed_is_started_again_and_what_has_done_its_work_is_not()
    {
        await using var device = await LoopOnPodman.StartAsync();
        var port = FreePort.Next();
        device.Apply(
            Sample.Web("hello", port),
            Sample.Shell("once", "exit 0", "restartPolicy: OnFailure"),
            Sample.Shell("never", "exit 3", "restartPolicy: Never"));
        await Web.AnswersAsync(port, Patience);
        await device.ReasonAsync("once", Reasons.Completed);
        await device.ReasonAsync("never", Reasons.ContainerExited);
        device.State("never")!.Message!.ShouldContain("code 3");

        await device.Podman.RunAsync("kill", "hello-web");
        await Eventually.TrueAsync(async () => (await device.PodsAsync()).Contains("hello Running", StringComparer.Ordinal), Patience);
        await Web.AnswersAsync(port, Patience);
        await device.Podman.RunAsync("pod", "stop", "--time", "1", "hello");
        await Web.AnswersAsync(port, Patience);
        await device.Podman.RunAsync("pod", "rm", "--force", "--time", "1", "hello");
        await Web.AnswersAsync(port, Patience);
        device.State("once")!.Reason.ShouldBe(Reasons.Completed);
    }

    [Fact]
    public async Task Nothing_of_others_is_touched_by_work_or_farewell()
    {
        await using var podman = await PodmanHost.StartAsync();
        await podman.RunAsync("pod", "create", "--name", "theirs");
        await podman.RunAsync("volume", "create", "data");
        await using var device = LoopOnPodman.StartOn(podman, "till-07");
        await using var neighbour = LoopOnPodman.StartOn(podman, "till-08");
        var (port, other) = (FreePort.Next(), FreePort.Next());
        neighbour.Apply(Sample.Web("beside", other));
        device.Apply(
            Sample.Web("hello", port),
            Sample.Web("theirs", FreePort.Next()),
            Sample.Shell("keeper", "sleep 1000", "volumes: [{name: data, persistentVolumeClaim: {claimName: data}}, {name: tmp, emptyDir: {}}]"));
        await Web.AnswersAsync(port, Patience);
        await Web.AnswersAsync(other, Patience);
        await device.ReasonAsync("theirs", Reasons.NameTaken);
        await device.PhaseAsync("keeper", "Running");
        (await podman.RunAsync("volume", "ls", "--format", "{{.Name}}")).ShouldContain("flotta-claim-data");

        await device.Loop.RemoveAllAsync(CancellationToken.None);
        (await podman.RunAsync("pod", "ps", "--format", "{{.Name}}")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal).ShouldBe(["beside", "theirs"]);
        (await podman.RunAsync("volume", "ls", "--format", "{{.Name}}")).Trim().ShouldBe("data");
        Directory.GetFileSystemEntries(device.Data).ShouldBeEmpty();
        await Web.AnswersAsync(other, Patience);
    }

    [Fact]
    public async Task Neither_a_new_agent_nor_a_new_podman_service_touches_what_runs()
    {
        await using var device = await LoopOnPodman.StartAsync();
        var port = FreePort.Next();
        device.Apply(Sample.Web("hello", port));
        await Web.AnswersAsync(port, Patience);
        await device.PhaseAsync("hello", "Running");
        var before = await device.ContainersAsync();

        await device.StopAsync();
        device.StartAgain();
        device.Apply(Sample.Web("hello", port));
        await device.PhaseAsync("hello", "Running");
        (await device.ContainersAsync()).ShouldBe(before);

        await device.Podman.KillServiceAsync();
        await device.ReasonAsync("hello", Reasons.PodmanUnavailable);
        device.State("hello")!.Phase.ShouldBe("Running");
        await Web.AnswersAsync(port, Patience);
        await device.Podman.StartServiceAsync();
        await device.PhaseAsync("hello", "Running");
        (await device.ContainersAsync()).ShouldBe(before);
        await device.Podman.RunAsync("kill", "hello-web");
        await Eventually.TrueAsync(async () => await device.ContainersAsync() is var now && now != before && now.Length > 0, Patience);
        await Web.AnswersAsync(port, Patience);
    }

    [Fact]
    public async Task Config_files_secrets_and_init_containers_are_there_for_the_container()
    {
        await using var device = await LoopOnPodman.StartAsync();
        var workload = new Workload
        {
            Name = "reader",
            Configmaps = ["kind: ConfigMap\nmetadata: {name: paint}\ndata: {colour: green, app.conf: shiny}\n"],
            Specification = $$$$"""
                initContainers:
                - name: prepare
                  image: {{{{PodmanHost.Image}}}}
                  command: [/bin/sh, -c, "echo prepared > /work/note"]
                  volumeMounts: [{name: work, mountPath: /work}]
                containers:
                - name: main
                  image: {{{{PodmanHost.Image}}}}
                  command: [/bin/sh, -c, "sleep 1000"]
                  env:
                  - {name: COLOUR, valueFrom: {configMapKeyRef: {name: paint, key: colour}}}
                  - {name: PASSWORD, valueFrom: {secretKeyRef: {name: vault, key: password}}}
                  volumeMounts:
                  - {name: work, mountPath: /work}
                  - {name: files, mountPath: /files}
                  - {name: files, mountPath: /etc/app.conf, subPath: app.conf}
                  - {name: key, mountPath: /key, readOnly: true}
                volumes:
                - {name: work, emptyDir: {}}
                - {name: files, configMap: {name: paint}}
                - {name: key, secret: {secretName: vault}}
                """,
        };
        device.Loop.Apply(new DesiredWorkloads([workload], [new Secret("""{"password":"b3BlbiBzZXNhbWU="}""", "vault")]));
        await device.PhaseAsync("reader", "Running");
        var seen = await device.Podman.RunAsync("exec", "reader-main", "/bin/sh", "-c", "echo $COLOUR/$PASSWORD/$DEVICE_ID; cat /work/note /files/colour /etc/app.conf /key/password; echo x > /export/out");
        seen.ReplaceLineEndings("").ShouldBe("green/open sesame/till-07preparedgreenshinyopen sesame");
        File.Exists(Path.Combine(device.Data, "volumes", "reader", "out")).ShouldBeTrue();
        await device.ProvenAsync("reader");
        File.GetUnixFileMode(Path.Combine(device.Data, "workloads", "reader", "last-good.json")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        (await device.Podman.RunAsync("secret", "ls", "--format", "{{.Name}}")).Trim().ShouldBeEmpty();
        var before = await device.ContainersAsync();
        await Task.Delay(TimeSpan.FromSeconds(2));
        (await device.ContainersAsync()).ShouldBe(before, "an init container that has ended is no reason to start anything");
        device.Apply();
        await Eventually.TrueAsync(async () => (await device.PodsAsync()).Length == 0, Patience);
        (await device.Podman.RunAsync("volume", "ls", "--format", "{{.Name}}")).Trim().ShouldBeEmpty();
    }
}
