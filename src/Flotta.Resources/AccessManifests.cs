using YamlDotNet.RepresentationModel;

namespace Flotta.Resources;

/// <summary>One object of a manifest: where it goes, and its text.</summary>
public sealed record Manifest(string ApiVersion, string Kind, string Namespace, string Name, string Yaml);

/// <summary>The accounts, roles and bindings as checked in under deploy/kubernetes: a cluster and the embedded API server give the Operator and the Edge API the same rights.</summary>
public static class AccessManifests
{
    public const string Namespace = "flotta";
    public const string OperatorAccount = "flotta-controller-manager";
    public const string EdgeApiAccount = "flotta-edge-api";

    // In the order in which they can be applied: accounts before what is bound to them.
    private static readonly string[] Files = ["operator/account", "edge-api/account", "operator/role", "edge-api/role", "people/role"];

    public static IEnumerable<Manifest> All => Files.SelectMany(Read);

    private static IEnumerable<Manifest> Read(string file)
    {
        using var resource = typeof(AccessManifests).Assembly.GetManifestResourceStream("access/" + file) ?? throw new InvalidOperationException($"{file} is not embedded");
        using var text = new StreamReader(resource);
        foreach (var document in text.ReadToEnd().Split("\n---\n"))
        {
            var yaml = new YamlStream();
            yaml.Load(new StringReader(document));
            var root = (YamlMappingNode)yaml.Documents[0].RootNode;
            var metadata = (YamlMappingNode)root["metadata"];
            yield return new Manifest(
                root["apiVersion"].ToString(), root["kind"].ToString(), metadata.Children.TryGetValue("namespace", out var within) ? within.ToString() : "", metadata["name"].ToString(), document);
        }
    }
}
