using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Flotta.EdgeApi.Configuration;
using Flotta.EdgeApi.Fleet;
using Flotta.Kube;
using Flotta.Resources;
using Flotta.Wire;
using k8s;
using k8s.Models;
using WireWorkload = Flotta.Wire.Workload;

namespace Flotta.Tests.EdgeApi.Configuration;

public sealed class AssemblyTests
{
    public static TheoryData<string> Goldens => [.. Directory.GetDirectories(Folder).Select(folder => Path.GetFileName(folder)!)];

    private static string Folder => Path.Combine(Repository.Root, "test", "Flotta.Tests", "EdgeApi", "Configuration", "Golden");

    /// <summary>A folder is one configuration: objects as YAML, and the message content that the original makes of them.</summary>
    [Theory]
    [MemberData(nameof(Goldens))]
    public void What_the_original_sends_we_send(string name)
    {
        var given = Read(File.ReadAllText(Path.Combine(Folder, name, "objects.yaml")));
        var expected = Tests.Wire.Captures.Normal(JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, name, "expected.json"))))!.AsObject();
        var assembled = ConfigurationAssembly.Assemble(given);
        assembled.Problems.ShouldBeEmpty();
        var actual = Tests.Wire.Captures.Normal(JsonNode.Parse(WireJson.Write(assembled.Message, WireJson.Types.DeviceConfigurationMessage)))!.AsObject();
        actual["version"]!.GetValue<string>().ShouldMatch("^[0-9a-f]{32}$");
        actual.Remove("version");
        expected.Remove("version");
        actual.ToJsonString().ShouldBe(expected.ToJsonString());
    }

    [Fact]
    public void Equal_ingredients_in_any_order_have_one_version()
    {
        var objects = File.ReadAllText(Path.Combine(Folder, "everything", "objects.yaml"));
        var given = Read(objects);
        var version = ConfigurationAssembly.Assemble(given).Version;
        ConfigurationAssembly.Assemble(Read(objects)).Version.ShouldBe(version);
        ConfigurationAssembly.Assemble(given with { Workloads = [.. given.Workloads.Reverse()] }).Version.ShouldBe(version);
        var device = given.Device with { Status = new EdgeDeviceStatus { Phase = "up" } };
        device.Metadata.ResourceVersion = "999999";
        ConfigurationAssembly.Assemble(given with { Device = device }).Version.ShouldBe(version);
    }

    [Fact]
    public void Any_difference_makes_another_version()
    {
        var given = Read(File.ReadAllText(Path.Combine(Folder, "everything", "objects.yaml")));
        var version = ConfigurationAssembly.Assemble(given).Version;
        var secret = given.Secrets.First(entry => entry.Key.Name == "envs");
        var changed = new V1Secret { Metadata = secret.Value.Metadata, Data = new Dictionary<string, byte[]>(secret.Value.Data) { ["k1"] = "v2"u8.ToArray() } };
        ConfigurationAssembly.Assemble(given with { Secrets = new Dictionary<Attachment, V1Secret>(given.Secrets) { [secret.Key] = changed } }).Version.ShouldNotBe(version);
        ConfigurationAssembly.Assemble(given with { Workloads = [] }).Version.ShouldNotBe(version);
    }

    [Theory]
    [InlineData("envFrom: [{secretRef: {name: gone}}]", "secret gone does not exist")]
    [InlineData("env: [{name: A, valueFrom: {secretKeyRef: {name: gone, key: k}}}]", "secret gone does not exist")]
    [InlineData("env: [{name: A, valueFrom: {secretKeyRef: {name: here, key: other}}}]", "secret here has no key other")]
    [InlineData("envFrom: [{configMapRef: {name: gone}}]", "ConfigMap gone does not exist")]
    [InlineData("env: [{name: A, valueFrom: {configMapKeyRef: {name: here, key: other}}}]", "ConfigMap here has no key other")]
    [InlineData("env: [{name: A, valueFrom: {secretKeyRef: {name: gone, key: k, optional: true}}}, {name: B, valueFrom: {secretKeyRef: {name: gone, key: k}}}]", "secret gone does not exist")]
    public void What_is_missing_holds_its_workload_and_no_other(string container, string why)
    {
        var given = Read(Pods(("bad", container), ("good", "image: x")));
        var assembled = ConfigurationAssembly.Assemble(given);
        assembled.Problems.ShouldBe([$"workload bad: {why}"]);
        WireWorkload bad = assembled.Message.Workloads![0], good = assembled.Message.Workloads[1];
        (bad.Name, bad.Hold, bad.Specification).ShouldBe(("bad", why, null));
        good.Hold.ShouldBeNull();
        good.Specification.ShouldNotBeNull();
    }

    [Theory]
    [InlineData("envFrom: [{secretRef: {name: gone, optional: true}}, {configMapRef: {name: gone, optional: true}}]")]
    [InlineData("env: [{name: A, valueFrom: {secretKeyRef: {name: gone, key: k, optional: true}}}]")]
    [InlineData("env: [{name: A, valueFrom: {secretKeyRef: {name: here, key: other, optional: true}}}]")]
    [InlineData("env: [{name: A, value: literal}]")]
    public void What_is_optional_may_be_missing(string container) => ConfigurationAssembly.Assemble(Read(Pods(("w", container)))).Problems.ShouldBeEmpty();

    [Fact]
    public void A_secret_that_many_use_is_sent_once_and_whole()
    {
        var given = Read(Pods(("a", "envFrom: [{secretRef: {name: here}}]"), ("b", "env: [{name: A, valueFrom: {secretKeyRef: {name: here, key: k}}}]")));
        var secret = ConfigurationAssembly.Assemble(given).Message.Secrets.ShouldHaveSingleItem();
        (secret.Name, secret.Data).ShouldBe(("here", """{"e":"","k":"dg=="}"""));
    }

    [Fact]
    public void A_section_comes_from_the_set_where_the_set_has_it()
    {
        var given = Read(
            """
            kind: EdgeDevice
            metadata: {name: d, namespace: ns1}
            spec:
              heartbeat: {periodSeconds: 5}
              osInformation: {commitID: mine}
              mounts: [{device: /dev/a, folder: /a}]
            ---
            kind: EdgeDeviceSet
            metadata: {name: s, namespace: ns1}
            spec:
              heartbeat: {hardwareProfile: {include: true, scope: delta}}
              osInformation: {hostedObjectsURL: http://x}
            """);
        var configuration = ConfigurationAssembly.Assemble(given).Message.Configuration!;
        (configuration.Heartbeat!.PeriodSeconds, configuration.Heartbeat.HardwareProfile!.Include, configuration.Heartbeat.HardwareProfile.Scope).ShouldBe((null, true, "delta"));
        (configuration.Os!.CommitId, configuration.Os.HostedObjectsUrl).ShouldBe((null, "http://x"));
        configuration.Mounts!.Single().Directory.ShouldBe("/a");
    }

    [Theory]
    [InlineData("logCollection: {l: {kind: syslog, syslogConfig: {name: gone}}}", "ConfigMap gone of log target l does not exist")]
    [InlineData("logCollection: {l: {kind: syslog, syslogConfig: {name: bad}}}", "the key Protocol of ConfigMap bad should be tcp, udp, rfc5424+tcp, rfc5424+udp or tls")]
    [InlineData("metrics: {system: {allowList: {name: gone}}}", "ConfigMap gone with an allow-list does not exist")]
    [InlineData("metrics: {system: {allowList: {name: bad}}}", "ConfigMap bad has no key metrics_list.yaml")]
    [InlineData("metrics: {receiverConfiguration: {url: 'https://x', caSecretName: gone}}", "secret gone with the metrics receiver's CA does not exist")]
    public void A_problem_of_the_device_is_told_and_the_rest_is_sent(string spec, string why)
    {
        var given = Read(
            $$"""
            kind: EdgeDevice
            metadata: {name: d, namespace: ns1}
            spec: { {{spec}} }
            ---
            kind: ConfigMap
            metadata: {name: bad, namespace: ns1}
            data: {Protocol: carrier-pigeon}
            """);
        var assembled = ConfigurationAssembly.Assemble(given);
        assembled.Problems.ShouldBe([why]);
        assembled.Message.Configuration!.Heartbeat!.PeriodSeconds.ShouldBe(60);
    }

    [Theory]
    [InlineData("BUCKET_PORT: '0'")]
    [InlineData("BUCKET_PORT: '65536'")]
    [InlineData("BUCKET_PORT: abc")]
    [InlineData("BUCKET_HOST: only")]
    public void A_bucket_that_cannot_be_described_is_left_out(string wrong)
    {
        var given = Read(
            $$"""
            kind: EdgeDevice
            metadata: {name: d, namespace: ns1}
            spec: {storage: {s3: {secretName: s, configMapName: m} } }
            ---
            kind: ConfigMap
            metadata: {name: m, namespace: ns1}
            data: {BUCKET_NAME: b, BUCKET_REGION: r, {{wrong}} }
            ---
            kind: Secret
            metadata: {name: s, namespace: ns1}
            data: {AWS_ACCESS_KEY_ID: aWQ=, AWS_SECRET_ACCESS_KEY: c2s=}
            """);
        var assembled = ConfigurationAssembly.Assemble(given);
        assembled.Problems.ShouldBeEmpty();
        assembled.Message.Configuration!.Storage.ShouldBeNull();
    }

    [Fact]
    public void Limits_schedule_and_patterns_of_the_data_synchronisation_go_to_the_device()
    {
        var given = Read(
            """
            kind: EdgeDevice
            metadata: {name: d, namespace: ns1}
            spec: {storage: {maxKiBPerSecond: 5, schedule: [{from: "22:00", to: "06:00", days: [Mon]}], s3: {secretName: s, configMapName: m} } }
            status: {workloads: [{name: w}]}
            ---
            kind: EdgeWorkload
            metadata: {name: w, namespace: ns1}
            spec: {type: pod, data: {ingressMaxMiB: 7, intervalSeconds: 9, egress: [{source: a, target: b, exclude: ["*.tmp"]}], ingress: [{source: c, target: d}]}, pod: {spec: {containers: [{name: c, image: i}]}}}
            ---
            kind: ConfigMap
            metadata: {name: m, namespace: ns1}
            data: {BUCKET_NAME: b, BUCKET_REGION: r, BUCKET_HOST: h, BUCKET_PORT: "443"}
            ---
            kind: Secret
            metadata: {name: s, namespace: ns1}
            data: {AWS_ACCESS_KEY_ID: aWQ=, AWS_SECRET_ACCESS_KEY: c2s=}
            """);
        var text = Encoding.UTF8.GetString(Flotta.Wire.WireJson.Write(ConfigurationAssembly.Assemble(given).Message, Flotta.Wire.WireJson.Types.DeviceConfigurationMessage));
        text.ShouldContain("\"max_kib_per_second\":5");
        text.ShouldContain("\"schedule\":[{\"days\":[\"Mon\"],\"from\":\"22:00\",\"to\":\"06:00\"}]");
        text.ShouldContain("\"egress\":[{\"source\":\"a\",\"target\":\"b\",\"exclude\":[\"*.tmp\"]}]");
        text.ShouldContain("\"ingress\":[{\"source\":\"c\",\"target\":\"d\"}]");
        text.ShouldContain("\"ingress_max_mib\":7");
        text.ShouldContain("\"interval_seconds\":9");
    }

    private static string Pods(params (string Name, string Container)[] pods) => string.Join(
        "\n---\n",
        pods.Select(pod => $$$"""
            kind: EdgeWorkload
            metadata: {name: {{{pod.Name}}}, namespace: ns1}
            spec: {type: pod, device: d, pod: {spec: {containers: [{name: c, {{{pod.Container}}} } ] } } }
            """)
            .Prepend("""
                kind: EdgeDevice
                metadata: {name: d, namespace: ns1}
                ---
                kind: Secret
                metadata: {name: here, namespace: ns1}
                data: {k: dg==, e: ''}
                ---
                kind: ConfigMap
                metadata: {name: here, namespace: ns1}
                data: {k: v}
                """));

    /// <summary>Objects as people write them. YAML becomes JSON first, because that is how the API server hands them out.</summary>
    private static Ingredients Read(string yaml)
    {
        EdgeDevice? device = null;
        EdgeDeviceSet? set = null;
        var workloads = new List<EdgeWorkload>();
        var secrets = new Dictionary<Attachment, V1Secret>();
        var maps = new Dictionary<Attachment, V1ConfigMap>();
        foreach (var text in yaml.Split("\n---\n"))
        {
            var node = JsonNode.Parse(ToTyped(text))!;
            var (ns, name) = (node["metadata"]!["namespace"]!.GetValue<string>(), node["metadata"]!["name"]!.GetValue<string>());
            switch (node["kind"]!.GetValue<string>())
            {
                case "EdgeDevice":
                    device = KubeJson.Deserialize<EdgeDevice>(node.ToJsonString());
                    break;
                case "EdgeDeviceSet":
                    set = KubeJson.Deserialize<EdgeDeviceSet>(node.ToJsonString());
                    break;
                case "EdgeWorkload":
                    workloads.Add(KubeJson.Deserialize<EdgeWorkload>(node.ToJsonString())!);
                    break;
                case "Secret":
                    secrets[new(AttachmentKind.Secret, ns, name)] = KubeJson.Deserialize<V1Secret>(node.ToJsonString())!;
                    break;
                case "ConfigMap":
                    maps[new(AttachmentKind.ConfigMap, ns, name)] = KubeJson.Deserialize<V1ConfigMap>(node.ToJsonString())!;
                    break;
                default:
                    Assert.Fail("what is " + node);
                    break;
            }
        }

        return new(device!, set, workloads, secrets, maps);
    }

    private static string ToTyped(string yaml)
    {
        var graph = new YamlDotNet.Serialization.DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build().Deserialize<object>(yaml);
        return new YamlDotNet.Serialization.SerializerBuilder().JsonCompatible().Build().Serialize(graph);
    }
}
