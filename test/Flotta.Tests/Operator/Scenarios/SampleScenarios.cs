using System.Text.Json.Nodes;
using Flotta.Kube;
using Flotta.Resources;
using Flotta.Resources.Validation;
using k8s;
using k8s.Models;
using YamlDotNet.Serialization;

namespace Flotta.Tests.Operator.Scenarios;

/// <summary>Manifests of every kind apply, and nothing of them is dropped on the way.</summary>
public abstract class SampleScenarios(ITestServer server)
{
    [Theory]
    // What we show.
    [InlineData("deploy/samples")]
    // Every field that manifests written for the original may have, and every one of ours, in spec and status.
    [InlineData("test/Flotta.Tests/Resources/Golden")]
    public async Task Every_manifest_applies_unchanged_and_every_kind_has_one(string folder)
    {
        await using var cluster = await TestCluster.StartAsync(server);
        // It would have its own opinion of the statuses.
        await cluster.StopOperatorAsync();
        var shown = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Root(AppContext.BaseDirectory), folder), "*.yaml").Order(StringComparer.Ordinal))
        {
            var json = Json(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
            shown.Add(await ApplyAsync(cluster, json));
        }

        shown.Order(StringComparer.Ordinal).ShouldBe(Definitions.All.Select(definition => definition.Spec.Names.Kind).Order(StringComparer.Ordinal));
    }

    private static Task<string> ApplyAsync(TestCluster cluster, JsonNode json) => json["kind"]!.GetValue<string>() switch
    {
        EdgeConfig.KindName => ApplyAsync<EdgeConfig>(cluster, json, _ => []),
        EdgeDevice.KindName => ApplyAsync<EdgeDevice>(cluster, json, EdgeDeviceValidation.Errors),
        EdgeDeviceSet.KindName => ApplyAsync<EdgeDeviceSet>(cluster, json, _ => []),
        EdgeDeviceSignedRequest.KindName => ApplyAsync<EdgeDeviceSignedRequest>(cluster, json, _ => []),
        EdgeWorkload.KindName => ApplyAsync<EdgeWorkload>(cluster, json, EdgeWorkloadValidation.Errors),
        PlaybookExecution.KindName => ApplyAsync<PlaybookExecution>(cluster, json, _ => []),
        var kind => throw new NotSupportedException($"{kind} in deploy/samples"),
    };

    private static async Task<string> ApplyAsync<T>(TestCluster cluster, JsonNode json, Func<T, IReadOnlyList<string>> errors)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        json["metadata"]!["namespace"] = cluster.Namespace;
        var sample = KubeJson.Deserialize<T>(json.ToJsonString())!;
        errors(sample).ShouldBeEmpty();
        await cluster.Api.CreateAsync(sample, TestContext.Current.CancellationToken);
        var stored = await cluster.Api.GetAsync<T>(ObjectKey.Of(sample), TestContext.Current.CancellationToken);
        // Defaults may be added, and nothing may be missing.
        Contains(JsonNode.Parse(KubeJson.Serialize(stored))!["spec"], json["spec"], sample.Kind + ".spec");
        if (json["status"] is not { } status) return sample.Kind;
        stored = await cluster.Api.MergePatchStatusAsync<T>(ObjectKey.Of(sample), new() { ["status"] = status.DeepClone() }, TestContext.Current.CancellationToken);
        Contains(JsonNode.Parse(KubeJson.Serialize(stored))!["status"], status, sample.Kind + ".status");
        return sample.Kind;
    }

    private static JsonNode Json(string yaml)
    {
        var document = new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build().Deserialize<object>(yaml);
        return JsonNode.Parse(new SerializerBuilder().JsonCompatible().Build().Serialize(document))!;
    }

    private static void Contains(JsonNode? whole, JsonNode? part, string path)
    {
        if (part is JsonObject properties)
        {
            foreach (var (name, value) in properties) Contains(whole?[name], value, path + "." + name);
        }
        else if (part is JsonArray items)
        {
            for (var index = 0; index < items.Count; index++) Contains(whole?[index], items[index], $"{path}[{index}]");
        }
        else
        {
            JsonNode.DeepEquals(whole, part).ShouldBeTrue($"{path} is {whole?.ToJsonString() ?? "missing"}, but should be {part?.ToJsonString()}");
        }
    }

    private static string Root(string folder) =>
        File.Exists(Path.Combine(folder, "Flotta.slnx")) ? folder : Root(Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("Flotta.slnx"));
}
