using System.Text.Json.Nodes;

namespace Flotta.Tests.ApiServer.Definitions;

/// <summary>Answers of a real kube-apiserver 1.20, asked once; positions in lists stand in paths as newer servers have them.</summary>
internal static class Golden
{
    public static string Folder { get; } = Path.Combine(Repository.Root, "test", "Flotta.Tests", "ApiServer", "Definitions", "Golden");

    public static JsonObject Widgets() => (JsonObject)Read("widgets.crd.json");

    public static JsonArray Cases(string name) => (JsonArray)Read(name);

    public static JsonNode Read(string name) => JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, name)))!;
}
