using System.Text.Json.Nodes;
using CsCheck;

namespace Flotta.Tests.ApiServer.Definitions;

/// <summary>Random JSON. Texts are made and then parsed, so that a sample can be printed and used anew.</summary>
internal static class Values
{
    /// <summary>Objects whose keys are these, down to a few levels.</summary>
    public static Gen<JsonObject> Documents(params string[] keys) => Text(keys, 4).Where(text => text.StartsWith('{')).Select(text => (JsonObject)JsonNode.Parse(text)!);

    public static Gen<JsonNode?> Any(params string[] keys) => Text(keys, 3).Select(text => JsonNode.Parse(text));

    public static Gen<string> OneOf(params string[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static Gen<string> Text(string[] keys, int depth)
    {
        var scalar = Gen.OneOf(
            Values.OneOf("null", "true", "false", "0", "1", "2.5", "-3", "\"\"", "\"a\"", "\"b\"", "\"red\""),
            Gen.Int[0, 5].Select(number => number.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        if (depth == 0) return scalar;
        var inner = Text(keys, depth - 1);
        var map = Gen.Select(Values.OneOf(keys), inner).Array[0, 5].Select(pairs =>
            "{" + string.Join(",", pairs.DistinctBy(pair => pair.Item1).Select(pair => $"\"{pair.Item1}\":{pair.Item2}")) + "}");
        var list = inner.Array[0, 4].Select(items => "[" + string.Join(",", items) + "]");
        return Gen.Frequency((3, map), (1, list), (1, scalar));
    }
}
