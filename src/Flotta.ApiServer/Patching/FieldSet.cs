using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Patching;

/// <summary>
/// A set of field paths as a tree. The steps are those of FieldsV1: `f:name` for a field, `k:{…}` for the item of a list-map with these keys,
/// `v:…` for the item of a set. Changed only while it is made.
/// </summary>
internal sealed class FieldSet
{
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // A hostile managedFields could nest without end; no schema is this deep.
    private const int MaxDepth = 128;

    public bool Member { get; set; }

    public SortedDictionary<string, FieldSet> Children { get; } = new(StringComparer.Ordinal);

    public bool IsEmpty => !Member && Children.Values.All(child => child.IsEmpty);

    public static string Field(string name) => "f:" + name;

    public static string Item(JsonNode? value) => "v:" + (value?.ToJsonString(Relaxed) ?? "null");

    public static string Keys(JsonObject keys) =>
        "k:" + new JsonObject(keys.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => KeyValuePair.Create(pair.Key, pair.Value?.DeepClone()))).ToJsonString(Relaxed);

    /// <summary>The part of the set below a step, made when it is not there.</summary>
    public FieldSet At(string step)
    {
        if (!Children.TryGetValue(step, out var child)) Children[step] = child = new FieldSet();
        return child;
    }

    public FieldSet? Find(string step) => Children.GetValueOrDefault(step);

    public FieldSet Union(FieldSet other) => Combine(this, other, (one, two) => one || two);

    public FieldSet Except(FieldSet other) => Combine(this, other, (one, two) => one && !two);

    public FieldSet Intersect(FieldSet other) => Combine(this, other, (one, two) => one && two);

    public bool SameAs(FieldSet other) => Except(other).IsEmpty && other.Except(this).IsEmpty;

    /// <summary>The paths of all members, as messages show them: `.spec.ports[port=1].name`.</summary>
    public IEnumerable<string> Paths(string prefix = "")
    {
        if (Member) yield return prefix;
        foreach (var (step, child) in Children)
        {
            foreach (var path in child.Paths(prefix + Shown(step))) yield return path;
        }
    }

    public JsonObject ToJson()
    {
        var json = new JsonObject();
        var live = Children.Where(pair => !pair.Value.IsEmpty).ToList();
        if (Member && live.Count > 0) json["."] = new JsonObject();
        foreach (var (step, child) in live) json[step] = child.ToJson();
        return json;
    }

    /// <summary>Null when it is no FieldsV1.</summary>
    public static FieldSet? FromJson(JsonNode? json) => json is JsonObject map ? FromJson(map, root: true, MaxDepth) : null;

    private static FieldSet? FromJson(JsonObject json, bool root, int depth)
    {
        if (depth == 0) return null;
        var set = new FieldSet { Member = !root && (json.Count == 0 || json.ContainsKey(".")) };
        foreach (var (step, value) in json)
        {
            if (step == ".") continue;
            if (step.Length < 2 || step[1] != ':' || value is not JsonObject map || FromJson(map, false, depth - 1) is not { } child) return null;
            set.Children[step] = child;
        }

        return set;
    }

    private static FieldSet Combine(FieldSet one, FieldSet two, Func<bool, bool, bool> rule)
    {
        var none = Nothing;
        var result = new FieldSet { Member = rule(one.Member, two.Member) };
        foreach (var step in one.Children.Keys.Union(two.Children.Keys, StringComparer.Ordinal))
        {
            var child = Combine(one.Find(step) ?? none, two.Find(step) ?? none, rule);
            if (!child.IsEmpty) result.Children[step] = child;
        }

        return result;
    }

    private static FieldSet Nothing { get; } = new();

    private static string Shown(string step)
    {
        if (step.StartsWith("f:", StringComparison.Ordinal)) return "." + step[2..];
        if (step.StartsWith("v:", StringComparison.Ordinal)) return $"[={step[2..]}]";
        if (step.StartsWith("k:", StringComparison.Ordinal))
        {
            try
            {
                if (JsonNode.Parse(step[2..]) is JsonObject keys)
                    return "[" + string.Join(',', keys.Select(pair => $"{pair.Key}={pair.Value?.ToJsonString(Relaxed) ?? "null"}")) + "]";
            }
            catch (JsonException)
            {
                // Somebody wrote it by hand; shown as it is.
            }
        }

        return $"[{step[2..]}]";
    }
}
