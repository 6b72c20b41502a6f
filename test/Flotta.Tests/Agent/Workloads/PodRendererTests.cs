using System.Text.Json.Nodes;
using Flotta.Agent.Workloads;
using Flotta.Wire;

namespace Flotta.Tests.Agent.Workloads;

public sealed class PodRendererTests
{
    private static readonly string GoldenFolder = Path.Combine(Repository.Root, "test", "Flotta.Tests", "Agent", "Workloads", "Golden");

    public static TheoryData<string> Cases => new(Directory.GetDirectories(GoldenFolder).Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal));

    /// <summary>Each folder: workload.json and secrets as they come over the wire, pod.json as podman gets it. FLOTTA_GOLDEN=write writes the latter.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void A_workload_is_rendered_as_its_golden_folder_says(string name)
    {
        var folder = Path.Combine(GoldenFolder, name);
        var message = WireJson.Read(File.ReadAllBytes(Path.Combine(folder, "configuration.json")), WireJson.Types.DeviceConfigurationMessage);
        var manifest = PodRenderer.Render(message.Workloads![0], message.Secrets ?? [], "till-07", Desired.Folders);
        var rendered = JsonNode.Parse(manifest.Document.Replace(manifest.Hash, "HASH", StringComparison.Ordinal).Replace(manifest.Hash[..12], "HASH12", StringComparison.Ordinal))!
            .ToJsonString(new() { WriteIndented = true }) + "\n";
        var golden = Path.Combine(folder, "pod.json");
        if (Environment.GetEnvironmentVariable("FLOTTA_GOLDEN") == "write")
            File.WriteAllText(golden, rendered);
        rendered.ShouldBe(File.ReadAllText(golden));
    }

    [Fact]
    public void The_hash_is_of_what_matters_and_of_nothing_else()
    {
        var secret = new Secret("""{"k":"dg==","other":"eA=="}""", "s");
        var workload = Desired.Web() with
        {
            Specification = "containers:\n- name: main\n  image: a:1\n  env:\n  - name: K\n    valueFrom: {secretKeyRef: {name: s, key: k}}\n",
            Labels = new Dictionary<string, string> { ["a"] = "1", ["b"] = "2" },
        };
        var hash = Desired.Manifest(workload, secret).Hash;

        Desired.Manifest(workload with { Labels = new Dictionary<string, string> { ["b"] = "2", ["a"] = "1" } }, secret).Hash.ShouldBe(hash);
        Desired.Manifest(workload with { Specification = workload.Specification.Replace("- name: main\n  image: a:1\n", "- image: \"a:1\"\n  name: main\n", StringComparison.Ordinal) }, secret).Hash.ShouldBe(hash);
        Desired.Manifest(workload, secret with { Data = """{"k":"dg==","other":"changed="}""" }, new Secret("{}", "unused")).Hash.ShouldBe(hash, "only values that are used count");
        PodRenderer.Render(workload, [secret], "another-device", new WorkloadFolders("/elsewhere")).Hash.ShouldBe(hash);

        Desired.Manifest(workload, secret with { Data = """{"k":"eA=="}""" }).Hash.ShouldNotBe(hash);
        Desired.Manifest(workload with { Labels = new Dictionary<string, string> { ["a"] = "1" } }, secret).Hash.ShouldNotBe(hash);
        Desired.Manifest(workload with { Annotations = new Dictionary<string, string> { ["a"] = "1" } }, secret).Hash.ShouldNotBe(hash);
        Desired.Manifest(workload with { Specification = workload.Specification.Replace("a:1", "a:2", StringComparison.Ordinal) }, secret).Hash.ShouldNotBe(hash);
    }

    [Fact]
    public void New_registry_credentials_are_worth_another_try_and_leave_the_pod_alone()
    {
        var before = Desired.Manifest(Desired.Web());
        var after = Desired.Manifest(Desired.Web() with { ImageRegistries = new ImageRegistries("""{"auths":{"r.example":{"auth":"dTpw"}}}""") });
        after.Hash.ShouldBe(before.Hash);
        after.Fingerprint.ShouldNotBe(before.Fingerprint);
        var header = System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(after.RegistryAuth!.Replace('-', '+').Replace('_', '/')));
        header.ShouldBe("""{"r.example":{"username":"u","password":"p"}}""");
    }

    [Theory]
    [InlineData("a:1", "", "IfNotPresent")]
    [InlineData("a", "", "Newer")]
    [InlineData("r.example:5000/a", "", "Newer")]
    [InlineData("r.example:5000/a:latest", "", "Newer")]
    [InlineData("a@sha256:0123", "", "IfNotPresent")]
    [InlineData("a", "Never", "Never")]
    [InlineData("a:1", "Always", "Always")]
    public void An_image_is_pulled_as_Kubernetes_would(string image, string policy, string expected) =>
        Desired.Manifest(Desired.Web(image: image + (policy.Length > 0 ? $"\n  imagePullPolicy: {policy}" : ""))).Images.ShouldHaveSingleItem().Policy.ToString().ShouldBe(expected);

    public static TheoryData<string, string> Broken => new()
    {
        { "", "empty" },
        { "- a", "not a map" },
        { "containers: []", "no containers" },
        { "containers: [{image: a}]", "without a usable name" },
        { "containers: [{name: ../x, image: a}]", "without a usable name" },
        { "containers: [{name: a, image: 'a; rm -rf /'}]", "no usable image" },
        { "containers: [{name: a, image: a}, {name: a, image: a}]", "two containers called a" },
        { "containers: [{name: a, image: a}]\ncontainers: []", "twice" },
        { "containers: [{name: a, image: a}]\n---\nkind: Pod", "more than one document" },
        { "a: &x [1]\nb: *x", "anchors or aliases" },
        { "containers: [{name: a, image: a, env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]}]", "Secret s did not come" },
        { "containers: [{name: a, image: a, volumeMounts: [{name: v, mountPath: /v}]}]", "mounts volume v, which is not there" },
        { "containers: [{name: a, image: a}]\nvolumes: [{name: v, nfs: {server: x}}]", "of the kind nfs" },
        { "containers: [{name: a, image: a}]\nvolumes: [{name: v, persistentVolumeClaim: {claimName: ../../etc}}]", "no usable claimName" },
        { "containers: [{name: a, image: a, ports: [{hostPort: 70000}]}]", "70000 is not a port" },
        { "containers: [{name: a, image: a}]\nrestartPolicy: Sometimes", "Sometimes" },
        { "{", "not valid YAML" },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public void A_specification_that_cannot_run_says_why(string specification, string why)
    {
        var pod = Desired.Pod(Desired.Web() with { Specification = specification });
        pod.Manifest.ShouldBeNull();
        pod.Reason.ShouldBe(Reasons.InvalidSpecification);
        pod.Message.ShouldNotBeNull().ShouldContain(why);
    }

    [Theory]
    [InlineData("../../etc")]
    [InlineData("/etc")]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData("A")]
    [InlineData("a\nb")]
    [InlineData("$(reboot)")]
    [InlineData("")]
    [InlineData(null)]
    public void A_name_that_is_no_DNS_name_goes_nowhere(string? name)
    {
        var pod = Desired.Pod(Desired.Web() with { Name = name });
        pod.Manifest.ShouldBeNull();
        pod.Reason.ShouldBe(Reasons.InvalidSpecification);
        pod.Name.Any(char.IsControl).ShouldBeFalse();
    }

    [Fact]
    public void Files_of_a_ConfigMap_cannot_leave_their_volume()
    {
        var workload = Desired.Web(extra: "volumes: [{name: v, configMap: {name: c, items: [{key: k, path: ../../../x}]}}]") with
        {
            Configmaps = ["kind: ConfigMap\nmetadata: {name: c}\ndata: {k: v}\n"],
        };
        Desired.Pod(workload).Message.ShouldNotBeNull().ShouldContain("outside of itself");
    }

    [Fact]
    public void Labels_of_ours_cannot_be_given_by_the_server()
    {
        var labels = JsonNode.Parse(Desired.Manifest(Desired.Web() with
        {
            Labels = new Dictionary<string, string> { ["project-flotta.io/device"] = "another", ["project-flotta.io/rehearsal"] = "true", ["mine"] = "1" },
        }).Document)!["metadata"]!["labels"]!.AsObject();
        labels["project-flotta.io/device"]!.GetValue<string>().ShouldBe("till-07");
        labels.ContainsKey("project-flotta.io/rehearsal").ShouldBeFalse();
        labels["mine"]!.GetValue<string>().ShouldBe("1");
    }

    [Fact(Timeout = 60_000)]
    public async Task Hostile_YAML_is_refused_quickly_and_in_little_memory()
    {
        await Task.Yield();
        string[] bombs =
        [
            new string('[', 100_000),
            "a: " + string.Concat(Enumerable.Repeat("{a: ", 100_000)),
            string.Concat(Enumerable.Range(0, 30_000).Select(at => $"k{at}: [1, 2]\n")),
            new string('x', 2 << 20),
            "a: &a [l, l]\n" + string.Concat(Enumerable.Range(0, 30).Select(at => $"b{at}: &b{at} [*a, *a]\n")),
        ];
        foreach (var bomb in bombs)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Desired.Pod(Desired.Web() with { Specification = bomb }).Reason.ShouldBe(Reasons.InvalidSpecification);
            (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(100L << 20);
        }
    }

    [Fact]
    public void A_held_workload_has_nothing_to_run_and_says_why()
    {
        var pod = Desired.Pod(new Workload { Name = "web", Hold = "Secret vault is missing" });
        (pod.Manifest, pod.Reason, pod.Message).ShouldBe((null, Reasons.Held, "Secret vault is missing"));
    }
}
