using System.Net;
using System.Net.Sockets;
using Flotta.Agent.Workloads;
using Flotta.Wire;

namespace Flotta.EndToEnd.Workloads;

/// <summary>What a specification may ask for, seen from inside of the containers and in what podman made of it.</summary>
public sealed class WorkloadShapeTests
{
    private static readonly TimeSpan Patience = LoopOnPodman.Patience;

    [Fact]
    public async Task A_container_gets_what_its_specification_says()
    {
        await using var device = await LoopOnPodman.StartAsync();
        var udp = FreePort.Next();
        var workload = new Workload
        {
            Name = "shape",
            Annotations = new Dictionary<string, string>(StringComparer.Ordinal) { ["example.org/note"] = "kept" },
            Configmaps = ["kind: ConfigMap\nmetadata: {name: paint}\ndata: {colour: green, finish: matt}\n"],
            Specification = $$"""
                containers:
                - name: main
                  image: {{PodmanHost.Image}}
                  command: [/bin/sh, -c, "sleep 1000"]
                  envFrom:
                  - {configMapRef: {name: paint}, prefix: P_}
                  - {secretRef: {name: absent, optional: true} }
                  env: [{name: KEY, valueFrom: {secretKeyRef: {name: vault, key: key} } }, {name: NONE, valueFrom: {configMapKeyRef: {name: paint, key: nope, optional: true} } }]
                  ports: [{containerPort: 5353, hostPort: {{udp}}, protocol: UDP}, {containerPort: 9999}]
                  resources: {limits: {memory: 64Mi, cpu: 500m} }
                  securityContext: {runAsUser: 1234, runAsGroup: 2345, capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}, readOnlyRootFilesystem: true}
                  volumeMounts:
                  - {name: memory, mountPath: /memory}
                  - {name: scratch, mountPath: /scratch}
                  - {name: one, mountPath: /one}
                  - {name: key, mountPath: /key}
                  - {name: host, mountPath: /host}
                  - {name: "null", mountPath: /dev/mine}
                volumes:
                - {name: memory, emptyDir: {medium: Memory, sizeLimit: 3Mi} }
                - {name: scratch, emptyDir: {} }
                - {name: one, configMap: {name: paint, items: [{key: colour, path: sub/it}], defaultMode: 292} }
                - {name: key, secret: {secretName: vault, defaultMode: 292} }
                - {name: host, hostPath: {path: {{device.Data}}-host, type: DirectoryOrCreate} }
                - {name: "null", hostPath: {path: /dev/null, type: CharDevice} }
                """,
        };
        device.Loop.Apply(new DesiredWorkloads([workload], [new Secret("""{"key":"b3BlbiBzZXNhbWU="}""", "vault")]));
        await device.PhaseAsync("shape", "Running");
        var seen = await device.Podman.RunAsync("exec", "shape-main", "/bin/sh", "-c", "echo $P_colour $P_finish $KEY ${NONE-none}; cat /one/sub/it; echo; cat /key/key; echo; /bin/busybox id -u; /bin/busybox id -g; /bin/busybox df -k /memory | /bin/busybox tail -n1");
        seen.ShouldContain("green matt open sesame none");
        var lines = seen.Split('\n');
        (lines[1], lines[2], lines[3], lines[4]).ShouldBe(("green", "open sesame", "1234", "2345"));
        lines[5].ShouldStartWith("tmpfs");
        lines[5].ShouldContain("3072");

        (await InspectAsync(device, "{{.HostConfig.Memory}}")).ShouldBe((64 << 20).ToString(System.Globalization.CultureInfo.InvariantCulture));
        (await InspectAsync(device, "{{.HostConfig.ReadonlyRootfs}}")).ShouldBe("true");
        (await InspectAsync(device, "{{index .Config.Annotations \"example.org/note\"}}")).ShouldBe("kept");
        (await InspectAsync(device, "{{.EffectiveCaps}}")).ShouldNotContain("CAP_CHOWN");
        Directory.Exists(device.Data + "-host").ShouldBeTrue();
        using (var taken = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp))
            Should.Throw<SocketException>(() => taken.Bind(new IPEndPoint(IPAddress.Any, udp)), "the port is held for UDP");
        await device.ProvenAsync("shape");

        device.Apply();
        await Eventually.TrueAsync(async () => (await device.PodsAsync()).Length == 0, Patience);
        await Eventually.TrueAsync(async () => (await device.Podman.RunAsync("volume", "ls", "--format", "{{.Name}}")).Trim().Length == 0, Patience);
    }

    [Fact]
    public async Task Probes_start_what_hangs_anew_and_hold_back_what_is_not_ready()
    {
        await using var device = await LoopOnPodman.StartAsync();
        var port = FreePort.Next();
        Workload Probed(string probes) => Sample.Web("probed", port) with { Specification = Sample.Web("probed", port).Specification!.TrimEnd() + "\n" + probes };
        device.Apply(Probed("""
              startupProbe: {exec: {command: [/bin/cat, /www/index.html]}, periodSeconds: 1, timeoutSeconds: 15}
              livenessProbe: {exec: {command: [/bin/sh, -c, "[ ! -e /tmp-sick ]"]}, periodSeconds: 1, timeoutSeconds: 15, failureThreshold: 2}
              readinessProbe: {httpGet: {path: /index.html, port: 8080}, periodSeconds: 1, timeoutSeconds: 15}
            """));
        await device.PhaseAsync("probed", "Running");
        await device.ProvenAsync("probed");
        var started = await StartedAsync(device);
        await device.Podman.RunAsync("exec", "probed-web", "/bin/sh", "-c", "echo > /tmp-sick; /bin/busybox mv /www/index.html /www/other");
        await device.EventAsync("warn", Reasons.Unhealthy);
        await Eventually.TrueAsync(async () => await StartedAsync(device) is { Length: > 0 } now && now != started, Patience);
        await device.ReasonAsync("probed", Reasons.Unhealthy);

        // A new version that never becomes ready proves nothing, and says why.
        device.Apply(Probed("  readinessProbe: {tcpSocket: {port: 8099}, periodSeconds: 1, timeoutSeconds: 15}\n"));
        await Eventually.TrueAsync(() => Task.FromResult(device.State("probed") is { Reason: Reasons.NotReady } state && state.Message!.Contains("readiness probe fails", StringComparison.Ordinal)), Patience);
        device.Apply(Probed("  readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1, timeoutSeconds: 15}\n"));
        await device.PhaseAsync("probed", "Running");
    }

    [Fact]
    public async Task What_looks_like_a_command_is_a_text_and_nothing_of_it_runs()
    {
        await using var device = await LoopOnPodman.StartAsync();
        var trap = Path.Combine(Path.GetTempPath(), "flotta-owned-" + Guid.NewGuid().ToString("N"));
        var evil = $"$(touch {trap}); `touch {trap}` | touch {trap} && touch {trap} %n ../../x";
        var port = FreePort.Next();
        device.Apply(
            Sample.Web("evil", port) with
            {
                Labels = new Dictionary<string, string>(StringComparer.Ordinal) { ["note"] = evil },
                // podman takes no longer ones.
                Annotations = new Dictionary<string, string>(StringComparer.Ordinal) { ["note"] = "$(reboot); `reboot` | reboot && reboot %n ../../x" },
                Specification = Sample.Web("evil", port, greeting: $"'{evil}'").Specification!,
            },
            Sample.Web($"x; touch {trap}", FreePort.Next()),
            Sample.Web("image", FreePort.Next(), image: $"'localhost/x:$(touch {trap})'"));
        await device.PhaseAsync("evil", "Running");
        await Web.AnswersAsync(port, Patience);
        (await device.Podman.RunAsync("inspect", "--format", "{{range .Config.Env}}{{println .}}{{end}}", "evil-web")).ShouldContain("GREETING=" + evil);
        await device.ReasonAsync("image", Reasons.InvalidSpecification);
        await device.ReasonAsync($"x; touch {trap}", Reasons.InvalidSpecification);
        File.Exists(trap).ShouldBeFalse();
    }

    private static async Task<string> StartedAsync(LoopOnPodman device) =>
        (await device.Podman.RunAsync("ps", "--filter", "name=^probed-web$", "--filter", "status=running", "--format", "{{.StartedAt}}")).Trim();

    private static async Task<string> InspectAsync(LoopOnPodman device, string format) => (await device.Podman.RunAsync("inspect", "--format", format, "shape-main")).Trim();
}
