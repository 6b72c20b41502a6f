using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.Selection;

/// <summary>`a=b,c!=d,e in (f,g),h,!i` compiled once per request.</summary>
internal sealed class LabelSelector
{
    private readonly LabelRequirement[] requirements;

    private LabelSelector(LabelRequirement[] requirements) => this.requirements = requirements;

    public static LabelSelector Everything { get; } = new([]);

    public bool IsEverything => requirements.Length == 0;

    /// <exception cref="SelectorException"></exception>
    public static LabelSelector Parse(string? text) =>
        string.IsNullOrEmpty(text) ? Everything : new LabelSelector([.. new LabelSelectorParser(text).Parse()]);

    /// <summary>matchLabels and matchExpressions; a selector that says nothing, or is not there, means everything.</summary>
    public static LabelSelector From(JsonNode? selector)
    {
        var found = new List<LabelRequirement>();
        foreach (var (key, value) in selector?["matchLabels"] as JsonObject ?? [])
            found.Add(new LabelRequirement(key, LabelOperator.In, new HashSet<string>(StringComparer.Ordinal) { value.AsText() ?? "" }));
        foreach (var expression in selector?["matchExpressions"].Objects() ?? [])
        {
            var of = expression.TextAt("operator") switch
            {
                "In" => LabelOperator.In,
                "NotIn" => LabelOperator.NotIn,
                "Exists" => LabelOperator.Exists,
                _ => LabelOperator.NotExists,
            };
            found.Add(new LabelRequirement(expression.TextAt("key"), of, expression["values"].Texts().ToHashSet(StringComparer.Ordinal)));
        }

        return found.Count == 0 ? Everything : new LabelSelector([.. found]);
    }

    public bool Matches(IReadOnlyDictionary<string, string> labels)
    {
        foreach (var requirement in requirements)
        {
            if (!requirement.Matches(labels.TryGetValue(requirement.Key, out var value) ? value : null)) return false;
        }

        return true;
    }

    /// <summary>Whether the labels of a whole object match.</summary>
    public bool Matches(JsonObject item)
    {
        if (requirements.Length == 0) return true;
        var labels = (item["metadata"] as JsonObject)?["labels"] as JsonObject;
        foreach (var requirement in requirements)
        {
            var value = labels is not null && labels.TryGetPropertyValue(requirement.Key, out var node) && node is JsonValue text && text.TryGetValue<string>(out var found)
                ? found
                : null;
            if (!requirement.Matches(value)) return false;
        }

        return true;
    }

    /// <summary>The same, without building nodes.</summary>
    public bool Matches(JsonElement item)
    {
        if (requirements.Length == 0) return true;
        var has = item.TryGetProperty("metadata"u8, out var metadata) && metadata.TryGetProperty("labels"u8, out var labels) && labels.ValueKind == JsonValueKind.Object;
        labels = has ? metadata.GetProperty("labels"u8) : default;
        foreach (var requirement in requirements)
        {
            var value = has && labels.TryGetProperty(requirement.Key, out var text) && text.ValueKind == JsonValueKind.String ? text.GetString() : null;
            if (!requirement.Matches(value)) return false;
        }

        return true;
    }
}

internal enum LabelOperator
{
    In,
    NotIn,
    Exists,
    NotExists,
    GreaterThan,
    LessThan,
}

internal sealed record LabelRequirement(string Key, LabelOperator Operator, IReadOnlySet<string> Values)
{
    /// <param name="value">Null when the label is not there.</param>
    public bool Matches(string? value) => Operator switch
    {
        LabelOperator.In => value is not null && Values.Contains(value),
        LabelOperator.NotIn => value is null || !Values.Contains(value),
        LabelOperator.Exists => value is not null,
        LabelOperator.NotExists => value is null,
        LabelOperator.GreaterThan => Number(value) is { } number && number > Number(Values.First()),
        _ => Number(value) is { } number && number < Number(Values.First()),
    };

    private static long? Number(string? text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;
}
