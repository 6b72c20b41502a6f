using System.Text;
using System.Text.Json.Nodes;

namespace Flotta.Tests.Wire;

/// <summary>What the originals really said to each other, one exchange a file.</summary>
internal static class Captures
{
    private static string Folder => Path.Combine(Repository.Root, "test", "Flotta.Tests", "Wire", "Golden");

    public static IEnumerable<string> Names => Directory.GetFiles(Folder, "*.json").Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal);

    public static byte[] Body(string name, string side) => Encoding.UTF8.GetBytes(Read(name)[side]!["body_raw"]!.GetValue<string>());

    public static int Status(string name) => Read(name)["response"]!["status"]!.GetValue<int>();

    private static JsonNode Read(string name) => JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, name)))!;

    /// <summary>Null and absent mean the same in these messages, and a response_to that is empty says nothing.</summary>
    public static JsonNode? Normal(JsonNode? node) => node switch
    {
        JsonObject map => new JsonObject(map
            .Where(pair => pair.Value is not null && !(pair.Key == "response_to" && pair.Value.ToString().Length == 0))
            .OrderBy(pair => pair.Key, StringComparer.Ordinal)
            .Select(pair => KeyValuePair.Create(pair.Key, pair.Key == "sent" ? "some time" : Normal(pair.Value)))),
        JsonArray list => new JsonArray(list.Select(Normal).ToArray()),
        _ => node?.DeepClone(),
    };
}
