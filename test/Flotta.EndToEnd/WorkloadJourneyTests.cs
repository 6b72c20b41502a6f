using System.Diagnostics;
using System.Net.Http;

namespace Flotta.EndToEnd;

/// <summary>From kubectl to a container and back: real programs, real podman, real kubectl.</summary>
public sealed class WorkloadJourneyTests(ITestOutputHelper log)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_workload_travels_from_kubectl_apply_to_a_container_that_answers_and_away_again()
    {
        await using var site = await Site.StartAsync("--auto-approve");
        var port = FreePort.Next();
        await using var device = site.Device("till-07");
        await device.IsAsync("Connected", "True");

        await site.Plane.KubectlAsync("label", "edgedevice", "till-07", "app=hello");
        var clock = Stopwatch.StartNew();
        await site.Plane.ApplyAsync(Manifests.Web("hello", port, Manifests.Matching("app", "hello")));
        await Web.AnswersAsync(port, Patience);
        log.WriteLine($"apply to answer: {clock.ElapsedMilliseconds} ms");
        await device.WorkloadIsAsync("hello", "Running");
        await device.IsAsync("UpToDate", "True");
        await device.IsAsync("WorkloadsReady", "True");
        (await site.Plane.KubectlAsync("get", "edgedevices,edgeworkloads")).ShouldContain("till-07");
        (await site.Plane.KubectlAsync("get", "edgedevices", "-l", "workload/hello=true", "-o", "name")).Trim().ShouldBe("edgedevice.management.project-flotta.io/till-07");

        clock.Restart();
        await site.Plane.ApplyAsync(Manifests.Web("hello", port, Manifests.Matching("app", "hello"), environment: "again"));
        await Eventually.EqualsAsync("again", async () => await site.EnvironmentAsync("hello", "GREETING"), Patience);
        log.WriteLine($"change to new container: {clock.ElapsedMilliseconds} ms");
        await Web.AnswersAsync(port, Patience);

        clock.Restart();
        await site.Plane.KubectlAsync("delete", "edgeworkload", "hello", "--timeout=10s");
        await Eventually.TrueAsync(async () => (await site.PodsAsync()).Length == 0, TimeSpan.FromSeconds(5), () => device.Program.Said);
        log.WriteLine($"delete to gone: {clock.ElapsedMilliseconds} ms");
        await Eventually.EqualsAsync("", () => site.Plane.FieldAsync("edgedevice", "till-07", ".status.workloads[*].name"), Patience);
        (await site.Plane.KubectlAsync("get", "edgedevices", "-l", "workload/hello", "-o", "name")).Trim().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_label_change_takes_the_container_away_and_brings_it_back()
    {
        await using var site = await Site.StartAsync("--auto-approve");
        var port = FreePort.Next();
        await using var device = site.Device("till-07");
        await device.IsAsync("Connected", "True");
        await site.Plane.ApplyAsync(Manifests.Web("hello", port, Manifests.Matching("app", "hello")));
        (await site.PodsAsync()).ShouldBeEmpty();

        await site.Plane.KubectlAsync("label", "edgedevice", "till-07", "app=hello");
        await Web.AnswersAsync(port, Patience);
        await site.Plane.KubectlAsync("label", "edgedevice", "till-07", "app-");
        await Eventually.TrueAsync(async () => (await site.PodsAsync()).Length == 0, Patience);
        await site.Plane.KubectlAsync("label", "edgedevice", "till-07", "app=hello");
        await Web.AnswersAsync(port, Patience);
    }

    [Fact]
    public async Task A_broken_workload_says_why_stops_no_other_and_recovers_when_it_is_mended()
    {
        await using var site = await Site.StartAsync("--auto-approve");
        var (good, taken, mended) = (FreePort.Next(), FreePort.Next(), FreePort.Next());
        using var other = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Any, taken);
        other.Start();
        await using var device = site.Device("till-07");
        await device.IsAsync("Connected", "True");

        await site.Plane.ApplyAsync(Manifests.Web("bad-image", mended, Manifests.OnDevice("till-07"), image: "localhost/no-such-image:1"));
        await site.Plane.ApplyAsync(Manifests.Web("port-taken", taken, Manifests.OnDevice("till-07")));
        await site.Plane.ApplyAsync(Manifests.Web("good", good, Manifests.OnDevice("till-07")));
        await Web.AnswersAsync(good, Patience);
        await device.WorkloadIsAsync("good", "Running");
        await device.IsAsync("WorkloadsReady", "False");
        await Eventually.TrueAsync(
            async () =>
            {
                var described = await site.Plane.KubectlAsync("describe", "edgedevice", "till-07");
                return described.Contains("no-such-image", StringComparison.Ordinal) && described.Contains("Warning", StringComparison.Ordinal)
                    && described.Contains(taken.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);
            },
            Patience,
            () => device.Program.Said);

        await site.Plane.ApplyAsync(Manifests.Web("bad-image", mended, Manifests.OnDevice("till-07")));
        await Web.AnswersAsync(mended, Patience);
        other.Stop();
        await Web.AnswersAsync(taken, TimeSpan.FromSeconds(90));
        await device.WorkloadIsAsync("port-taken", "Running");
        await device.IsAsync("WorkloadsReady", "True");
    }

    [Fact]
    public async Task Secrets_and_config_maps_reach_the_container_and_a_missing_one_holds_only_its_workload()
    {
        await using var site = await Site.StartAsync("--auto-approve");
        await using var device = site.Device("till-07");
        await device.IsAsync("Connected", "True");
        await site.Plane.ApplyAsync("""
            apiVersion: management.project-flotta.io/v1alpha1
            kind: EdgeWorkload
            metadata: { name: reader }
            spec:
              device: till-07
              type: pod
              pod:
                spec:
                  terminationGracePeriodSeconds: 1
                  containers:
                    - name: reader
                      image: localhost/flotta-hello:1
                      command: ["/bin/httpd", "-f", "-p", "8080"]
                      env:
                        - { name: COLOUR, valueFrom: { configMapKeyRef: { name: paint, key: colour } } }
                        - { name: PASSWORD, valueFrom: { secretKeyRef: { name: vault, key: password } } }
            """);
        await Eventually.TrueAsync(
            async () => (await site.Plane.FieldAsync("edgedevice", "till-07", ".status.workloads[0].message")).Contains("paint", StringComparison.Ordinal)
                || (await site.Plane.FieldAsync("edgedevice", "till-07", ".status.workloads[0].message")).Contains("vault", StringComparison.Ordinal),
            Patience);
        await site.Plane.KubectlAsync("create", "configmap", "paint", "--from-literal=colour=green");
        await site.Plane.KubectlAsync("create", "secret", "generic", "vault", "--from-literal=password=open sesame");
        await device.WorkloadIsAsync("reader", "Running");
        (await site.EnvironmentAsync("reader", "COLOUR")).ShouldBe("green");
        (await site.EnvironmentAsync("reader", "PASSWORD")).ShouldBe("open sesame");
        (await site.EnvironmentAsync("reader", "DEVICE_ID")).ShouldBe("till-07");
        device.Program.Said.ShouldNotContain("sesame");
        site.Plane.Program.Said.ShouldNotContain("sesame");
    }
}
