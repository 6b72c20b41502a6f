using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Flotta.Kube;

namespace Flotta.Cli.Moving;

/// <summary>Whom an object belongs to: who is deleted takes it along.</summary>
internal sealed record Owner(string ApiVersion, string Kind, string Name, bool Controller, bool BlocksDeletion);

/// <summary>
/// What an object says, whichever server it is on: hashes without identity, version and times, in an order of their own and without what means nothing (null, and
/// empty parts of built-in kinds, which servers leave out or not).
/// </summary>
/// <param name="Body">All but status and owners.</param>
/// <param name="Status">Empty where there is none.</param>
internal sealed record Fingerprint(string Body, string Status, IReadOnlyList<Owner> Owners, bool Deleting, string Uid)
{
    private const string SeenNow = "current";
    private const string SeenBefore = "earlier";

    /// <summary>All of it in one text.</summary>
    public string Whole => string.Join(' ', [Body, Status, Deleting ? "deleting" : "", .. Owners.Select(owner => $"{owner.ApiVersion}/{owner.Kind}/{owner.Name}")]);

    public static Fingerprint Of(MovedKind kind, JsonObject document)
    {
        // A namespace is there or not: what else it says is its cluster's.
        var body = kind == MovedKind.Namespaces ? new JsonObject { ["metadata"] = new JsonObject { ["name"] = document["metadata"]?["name"]?.DeepClone() } } : Document.AsNew(kind, document);
        return new(
            Hash(body, kind.IsOurs),
            kind.HasStatus && document["status"] is JsonObject { Count: > 0 } status ? Hash(Observed(status, Document.Generation(document)), exact: true) : "",
            [.. Document.Objects(document["metadata"]?["ownerReferences"]).Select(OwnerOf).OrderBy(owner => owner.Kind, StringComparer.Ordinal).ThenBy(owner => owner.Name, StringComparer.Ordinal)],
            kind != MovedKind.Namespaces && Document.IsDeleting(document),
            Document.Text(document["metadata"]?["uid"]));
    }

    /// <summary>One hash of many objects: equal on two servers where each of them is.</summary>
    public static string OfAll(IEnumerable<(ObjectKey Key, Fingerprint Print)> all)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (key, print) in all.OrderBy(one => one.Key.ToString(), StringComparer.Ordinal))
            hash.AppendData(Encoding.UTF8.GetBytes($"{key} {print.Whole}\n"));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static Owner OwnerOf(JsonObject reference) => new(
        Document.Text(reference["apiVersion"]), Document.Text(reference["kind"]), Document.Text(reference["name"]),
        reference["controller"] is JsonValue controller && controller.TryGetValue<bool>(out var controls) && controls,
        reference["blockOwnerDeletion"] is JsonValue blocks && blocks.TryGetValue<bool>(out var holds) && holds);

    // Which generation was seen differs between servers; whether it is the present one does not.
    private static JsonObject Observed(JsonObject status, long generation)
    {
        var copy = (JsonObject)status.DeepClone();
        foreach (var node in Document.Objects(copy["conditions"]).Append(copy))
        {
            if (Document.Number(node["observedGeneration"]) is { } observed)
                node["observedGeneration"] = observed >= generation ? SeenNow : SeenBefore;
        }

        return copy;
    }

    private static string Hash(JsonObject document, bool exact)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
            Write(writer, document, exact, asIs: false);
        return Convert.ToHexStringLower(SHA256.HashData(buffer.GetBuffer().AsSpan(0, (int)buffer.Length)));
    }

    private static void Write(Utf8JsonWriter writer, JsonNode? node, bool exact, bool asIs)
    {
        switch (node)
        {
            case JsonObject members:
                writer.WriteStartObject();
                foreach (var (name, member) in members.OrderBy(member => member.Key, StringComparer.Ordinal))
                {
                    if (member is null || (!asIs && IsNothing(member, exact || name is "labels" or "annotations" or "finalizers")))
                        continue;
                    writer.WritePropertyName(name);
                    // In these every key and value is somebody's, an empty one as well.
                    Write(writer, member, exact, asIs: (exact && name != "metadata") || name is "data" or "binaryData" or "labels" or "annotations");
                }

                writer.WriteEndObject();
                break;
            case JsonArray items:
                writer.WriteStartArray();
                foreach (var item in items)
                    Write(writer, item, exact, asIs);
                writer.WriteEndArray();
                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.Number:
                writer.WriteStringValue("number " + NumberText(value.ToJsonString()));
                break;
            case null:
                writer.WriteNullValue();
                break;
            default:
                node.WriteTo(writer);
                break;
        }
    }

    private static bool IsNothing(JsonNode member, bool metadata) => member switch
    {
        JsonObject members => members.Count == 0,
        JsonArray items => items.Count == 0,
        JsonValue value => !metadata && value.TryGetValue<string>(out var text) && text.Length == 0,
        _ => false,
    };

    // 1, 1.0 and 1e0 are one number, which each server writes in its own way.
    private static string NumberText(string json) => decimal.TryParse(json, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        ? number.ToString("0.############################", CultureInfo.InvariantCulture)
        : json;
}
