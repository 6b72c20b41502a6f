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

    // Most nodes are leaves, and there is one for every field of every write.
    private SortedDictionary<string, FieldSet>? children;

    public bool Member { get; set; }

    public SortedDictionary<string, FieldSet> Children => children ??= new(StringComparer.Ordinal);

    public bool IsEmpty
    {
        get
        {
            if (Member) return false;
            if (children is null) return true;
            foreach (var (_, child) in children)
            {
                if (!child.IsEmpty) return false;
            }

            return true;
        }
    }

    private bool IsBare => !Member && children is not { Count: > 0 };

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

    public FieldSet? Find(string step) => children?.GetValueOrDefault(step);

    /// <summary>Like the other combinations it may share parts with what it is made of.</summary>
    public FieldSet Union(FieldSet other)
    {
        if (other.IsBare) return this;
        if (IsBare) return other;
        var result = new FieldSet { Member = Member || other.Member };
        if (children is not null)
        {
            foreach (var (step, child) in children) result.Add(step, other.Find(step) is { } also ? child.Union(also) : child);
        }

        if (other.children is not null)
        {
            foreach (var (step, child) in other.children)
            {
                if (Find(step) is null) result.Add(step, child);
            }
        }

        return result;
    }

    public FieldSet Except(FieldSet other)
    {
        if (other.IsBare || IsBare) return this;
        var result = new FieldSet { Member = Member && !other.Member };
        if (children is not null)
        {
            foreach (var (step, child) in children) result.Add(step, other.Find(step) is { } gone ? child.Except(gone) : child);
        }

        return result;
    }

    public FieldSet Intersect(FieldSet other)
    {
        var result = new FieldSet { Member = Member && other.Member };
        if (children is not null)
        {
            foreach (var (step, child) in children)
            {
                if (other.Find(step) is { } also) result.Add(step, child.Intersect(also));
            }
        }

        return result;
    }

    public bool SameAs(FieldSet other)
    {
        if (Member != other.Member) return false;
        if (children is not null)
        {
            foreach (var (step, child) in children)
            {
                if (other.Find(step) is { } also ? !child.SameAs(also) : !child.IsEmpty) return false;
            }
        }

        if (other.children is not null)
        {
            foreach (var (step, child) in other.children)
            {
                if (Find(step) is null && !child.IsEmpty) return false;
            }
        }

        return true;
    }

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

    private void Add(string step, FieldSet child)
    {
        if (!child.IsEmpty) Children[step] = child;
    }

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
