using System.Text.Json.Nodes;
using CsCheck;
using Flotta.Tests.ApiServer.Definitions;

namespace Flotta.Tests.ApiServer;

/// <summary>JSON documents of all shapes, small; few names, so that two documents have some in common.</summary>
internal static class NodeGen
{
    public static Gen<string> Name { get; } = Gen.OneOf(Values.OneOf("a", "b", "c", "spec", "name"), Gen.String[Gen.Char["abz-_./~ é\"'#:"], 0, 4]);

    public static Gen<string> Text { get; } = Gen.OneOf(
        Values.OneOf("", "true", "null", "1", "1e3", "0x1F", "~", "- a", "a: b", "two\nlines\n", " x ", "\t", "'", "\"", "#", "|", "2001-01-01", "é🙂", ".5", "yes"), Gen.String[Gen.Char[' ', '~'], 0, 8]);

    public static Gen<Func<JsonNode?>> Scalar { get; } = Gen.OneOf<Func<JsonNode?>>(
        Gen.Bool.Select(_ => (Func<JsonNode?>)(() => null)),
        Gen.Bool.Select(value => (Func<JsonNode?>)(() => JsonValue.Create(value))),
        Gen.Int[-5, 5].Select(value => (Func<JsonNode?>)(() => JsonValue.Create((long)value))),
        Gen.Long.Select(value => (Func<JsonNode?>)(() => JsonValue.Create(value))),
        Gen.Double[-1e6, 1e6].Select(value => (Func<JsonNode?>)(() => JsonValue.Create(value))),
        Text.Select(value => (Func<JsonNode?>)(() => JsonValue.Create(value))));

    /// <summary>An object; made anew each time that it is taken, because nodes have one parent.</summary>
    public static Gen<JsonObject> Document { get; } = Map(3).Select(make => (JsonObject)make()!);

    public static Gen<Func<JsonNode?>> Node(int depth) => depth == 0 ? Scalar : Gen.Frequency(
        (3, Scalar),
        (2, Map(depth)),
        (1, Node(depth - 1).Array[0, 3].Select(items => (Func<JsonNode?>)(() => new JsonArray([.. items.Select(item => item())])))));

    private static Gen<Func<JsonNode?>> Map(int depth) => Gen.Dictionary(Name, Node(depth - 1))[0, 4].Select(
        members => (Func<JsonNode?>)(() => new JsonObject(members.Select(member => KeyValuePair.Create(member.Key, member.Value())))));
}
