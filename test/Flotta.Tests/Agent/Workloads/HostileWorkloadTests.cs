using System.Text.Json;
using System.Text.RegularExpressions;
using Flotta.Agent.Workloads;
using Flotta.Wire;

namespace Flotta.Tests.Agent.Workloads;

/// <summary>A configuration from somebody who means harm: a clear word about each workload, nothing outside of its folder, little memory.</summary>
public sealed class HostileWorkloadTests
{
    private static readonly string[] Evil =
    [
        "../../../etc/cron.d/x", "/etc/passwd", "..", ".", "a/../../b", "$(touch /tmp/owned)", "`touch /tmp/owned`", "; reboot", "a\nb", "a\0b", "-rf", "--privileged", "%n", "|sh", "*", "~", "",
        "\u202ea", "A", "a b", "&&", new string('a', 5000),
    ];

    public static TheoryData<string> Places =>
    [
        "name", "container", "volume", "configmap", "key", "path", "secret", "claim", "subPath", "image", "env", "hostIP", "hostname", "restartPolicy", "protocol", "label", "annotation", "value", "mountPath",
        "hostPath", "quantity", "probe",
    ];

    [Theory]
    [MemberData(nameof(Places))]
    public void Nothing_in_a_workload_leads_out_of_its_folder(string place)
    {
        foreach (var evil in Evil)
        {
            var pod = DesiredPod.From(new DesiredWorkloads([With(place, evil)], [new Secret("""{"key":"eA=="}""", place == "secret" ? evil : "vault")]), "till-07", Desired.Folders)[0];
            pod.Name.Any(char.IsControl).ShouldBeFalse();
            if (pod.Manifest is not { } manifest)
            {
                pod.Reason.ShouldBe(Reasons.InvalidSpecification, evil);
                pod.Message.ShouldNotBeNullOrWhiteSpace();
                pod.Message!.Any(char.IsControl).ShouldBeFalse("a person reads it in a terminal");
                pod.Message!.Length.ShouldBeLessThan(1100);
                continue;
            }
            var root = Path.Combine(Desired.Folders.Files(manifest.Name), manifest.Hash);
            foreach (var path in manifest.Files.Select(file => file.Path).Concat(manifest.Folders))
                Path.GetFullPath(Path.Combine(root, path)).ShouldStartWith(root + "/", Case.Sensitive, evil);
            manifest.Volumes.ShouldAllBe(volume => volume.StartsWith("flotta-claim-", StringComparison.Ordinal) && !volume.Contains('/', StringComparison.Ordinal));
            // What podman gets is one document with these values as texts in it, whatever they are.
            JsonDocument.Parse(manifest.Document).RootElement.GetProperty("metadata").GetProperty("name").GetString().ShouldBe(manifest.Name);
            WorkloadNames.IsValid(manifest.Name).ShouldBeTrue(evil);
            var unit = UnitText.Render(
                new UnitSpec(manifest.Name, "till-07", Desired.Folders.Pod(manifest.Name), manifest.Network, RestartPolicy.Always, 10), UnitKind.Service, new Version(4, 3, 1), SystemdScope.Of(null));
            unit.Text.Split('\n').Count(line => line.StartsWith("Exec", StringComparison.Ordinal)).ShouldBe(2);
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task Ten_megabytes_of_anything_are_refused_in_little_memory()
    {
        await Task.Yield();
        var huge = new string('x', 10 << 20);
        Workload[] workloads =
        [
            Desired.Web() with { Specification = huge },
            Desired.Web() with { Specification = "containers: [{name: a, image: a:1, command: ['" + huge + "']}]" },
            Desired.Web() with { Configmaps = [$"kind: ConfigMap\nmetadata: {{name: c}}\ndata: {{k: {huge}}}\n"], Specification = Uses("configMapRef: {name: c}") },
            Desired.Web() with { Specification = Uses("secretRef: {name: vault}") },
            Desired.Web() with { ImageRegistries = new ImageRegistries("{\"auths\":{\"" + huge + "\":{}}}") },
        ];
        foreach (var workload in workloads)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var pod = DesiredPod.From(new DesiredWorkloads([workload], [new Secret($$"""{"k":"{{huge}}"}""", "vault")]), "till-07", Desired.Folders)[0];
            pod.Reason.ShouldBe(Reasons.InvalidSpecification);
            pod.Message!.Length.ShouldBeLessThan(1100);
            (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(64L << 20);
        }
    }

    private static string Uses(string from) => $"containers: [{{name: a, image: 'a:1', envFrom: [{{{from}}}]}}]";

    private static Workload With(string place, string evil)
    {
        // <place|what is good there>
        string At(string text) => Regex.Replace(text, @"<(\w+)\|([^>]*)>", match => JsonSerializer.Serialize(match.Groups[1].Value == place ? evil : match.Groups[2].Value));
        var specification = At("""
            {"hostname": <hostname|till>, "restartPolicy": <restartPolicy|Always>, "containers": [{
              "name": <container|main>, "image": <image|a:1>,
              "env": [{"name": <env|A>, "value": <value|b>}, {"name": "S", "valueFrom": {"secretKeyRef": {"name": <secret|vault>, "key": "key"}}}],
              "ports": [{"containerPort": 1, "hostPort": 18080, "hostIP": <hostIP|127.0.0.1>, "protocol": <protocol|TCP>}],
              "livenessProbe": {"exec": {"command": [<probe|true>]}},
              "volumeMounts": [{"name": <volume|conf>, "mountPath": <mountPath|/conf>, "subPath": <subPath|file>}, {"name": "host", "mountPath": "/h"}]}],
             "volumes": [
              {"name": <volume|conf>, "configMap": {"name": <configmap|paint>, "items": [{"key": <key|colour>, "path": <path|file>}]}},
              {"name": "claim", "persistentVolumeClaim": {"claimName": <claim|data>}},
              {"name": "memory", "emptyDir": {"medium": "Memory", "sizeLimit": <quantity|1Mi>}},
              {"name": "host", "hostPath": {"path": <hostPath|/srv>}}]}
            """);
        var map = At("""{"kind": "ConfigMap", "metadata": {"name": <configmap|paint>}, "data": { <key|colour>: "green"}}""");
        return new Workload
        {
            Name = place == "name" ? evil : "web",
            Specification = specification,
            Configmaps = [map],
            Labels = new Dictionary<string, string>(StringComparer.Ordinal) { [place == "label" ? evil : "a"] = evil },
            Annotations = new Dictionary<string, string>(StringComparer.Ordinal) { [place == "annotation" ? evil : "a"] = evil },
        };
    }
}
