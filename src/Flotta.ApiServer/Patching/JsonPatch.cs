using System.Globalization;
using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.Patching;

/// <summary>RFC 6902. Gives a new document and leaves its arguments as they are. Our own: the operations must be told apart that the server words differently.</summary>
internal static class JsonPatch
{
    public const int MaxOperations = 10_000;

    // Copies can double a document each; what they add is bounded, as in the real server.
    private const int MaxCopiedBytes = 3 * 1024 * 1024;

    private const string Refusal = "the server rejected our request due to an error in our request";

    /// <exception cref="PatchException">The patch is malformed (400), too long (413) or does not apply (422).</exception>
    public static JsonNode? Apply(JsonNode? document, JsonNode? patch)
    {
        if (patch is not JsonArray operations) throw new PatchException(400, "json: cannot unmarshal object into Go value of type jsonpatch.Patch");
        if (operations.Count > MaxOperations)
            throw new PatchException(413, $"The allowed maximum operations in a JSON patch is {MaxOperations}, got {operations.Count}");
        // The document stands under a root of its own, so that the empty pointer is no special case.
        var root = new JsonObject { [""] = document?.DeepClone() };
        var copied = 0;
        foreach (var operation in operations)
        {
            if (operation is not JsonObject step) throw new PatchException(400, "json: cannot unmarshal operation: it must be an object");
            Run(root, step, ref copied);
        }

        var result = root[""];
        root.Remove("");
        return result;
    }

    private static void Run(JsonObject root, JsonObject step, ref int copied)
    {
        var path = Pointer(step, "path");
        switch (step.TextAt("op"))
        {
            case "add":
                Add(root, path, Value(step)?.DeepClone());
                break;
            case "remove":
                Remove(root, path);
                break;
            case "replace":
                _ = Get(root, path);
                Set(root, path, Value(step)?.DeepClone());
                break;
            case "move":
                var source = Pointer(step, "from");
                if (path.Length > source.Length && path.AsSpan(0, source.Length).SequenceEqual(source)) throw Fail("a value cannot be moved into itself");
                var moved = Get(root, source)?.DeepClone();
                Remove(root, source);
                Add(root, path, moved);
                break;
            case "copy":
                var copy = Get(root, Pointer(step, "from"))?.DeepClone();
                copied += copy?.ToJsonString().Length ?? 4;
                if (copied > MaxCopiedBytes) throw new PatchException(413, $"Unable to complete the copy, the accumulated size increase of copy is {copied}, exceeding the limit {MaxCopiedBytes}");
                Add(root, path, copy);
                break;
            case "test":
                if (!JsonKinds.Same(Get(root, path), Value(step))) throw Fail($"testing path {step.TextAt("path")} value failed");
                break;
            case var unknown:
                throw new PatchException(400, $"Unexpected kind: {unknown}");
        }
    }

    private static string[] Pointer(JsonObject step, string member)
    {
        if (step[member].AsText() is not { } text) throw new PatchException(400, $"jsonpatch {step.TextAt("op")} operation has no {member}");
        if (text.Length > 0 && text[0] != '/') throw Fail($"the pointer {GoText.Quote(text)} does not start with /");
        // The leading empty token is the document under our root.
        return [.. text.Split('/').Select(token => token.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal))];
    }

    private static JsonNode? Value(JsonObject step) =>
        step.TryGetPropertyValue("value", out var value) ? value : throw new PatchException(400, $"jsonpatch {step.TextAt("op")} operation has no value");

    private static JsonNode? Get(JsonObject root, ReadOnlySpan<string> path)
    {
        JsonNode? node = root;
        foreach (var token in path)
        {
            node = node switch
            {
                JsonObject map => map.TryGetPropertyValue(token, out var child) ? child : throw Missing(token),
                JsonArray list => list[Index(list, token, list.Count - 1)],
                _ => throw Missing(token),
            };
        }

        return node;
    }

    private static void Add(JsonObject root, string[] path, JsonNode? value)
    {
        switch (Get(root, path.AsSpan(0, path.Length - 1)))
        {
            case JsonObject map:
                map[path[^1]] = value;
                break;
            case JsonArray list:
                list.Insert(path[^1] == "-" ? list.Count : Index(list, path[^1], list.Count), value);
                break;
            default:
                throw Missing(path[^1]);
        }
    }

    private static void Set(JsonObject root, string[] path, JsonNode? value)
    {
        switch (Get(root, path.AsSpan(0, path.Length - 1)))
        {
            case JsonObject map:
                map[path[^1]] = value;
                break;
            case JsonArray list:
                list[Index(list, path[^1], list.Count - 1)] = value;
                break;
        }
    }

    private static void Remove(JsonObject root, string[] path)
    {
        _ = Get(root, path);
        switch (Get(root, path.AsSpan(0, path.Length - 1)))
        {
            case JsonObject map:
                if (ReferenceEquals(map, root)) map[path[^1]] = null;
                else map.Remove(path[^1]);
                break;
            case JsonArray list:
                list.RemoveAt(Index(list, path[^1], list.Count - 1));
                break;
        }
    }

    private static int Index(JsonArray list, string token, int last)
    {
        var leadingZero = token.Length > 1 && token[0] == '0';
        if (!leadingZero && int.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index <= last) return index;
        throw Fail($"index {GoText.Quote(token)} is out of bounds of a list of {list.Count}");
    }

    private static PatchException Missing(string token) => Fail($"there is nothing at {GoText.Quote(token)}");

    // The real server keeps the reason to itself; clients compare the sentence. It is given to whoever debugs.
    private static PatchException Fail(string why)
    {
        var refused = new PatchException(422, Refusal);
        refused.Data["why"] = why;
        return refused;
    }
}
