using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Flotta.ApiServer.Definitions;

/// <summary>A node of a structural schema, or of the value validation inside one (<see cref="AnyOf"/> and its like). Never changed once it is read; patterns are compiled.</summary>
internal sealed class Schema
{
    private static readonly Dictionary<string, Schema> NoProperties = [];

    /// <summary>object, array, string, integer, number, boolean; empty where any type will do.</summary>
    public string Type { get; init; } = "";

    public bool Nullable { get; init; }

    public string Format { get; init; } = "";

    public string Description { get; init; } = "";

    /// <summary>Null when there is none; a default of JSON null is none either.</summary>
    public JsonNode? Default { get; init; }

    public IReadOnlyDictionary<string, Schema> Properties { get; init; } = NoProperties;

    public Schema? AdditionalProperties { get; init; }

    /// <summary>additionalProperties: true, or false.</summary>
    public bool? AdditionalPropertiesAllowed { get; init; }

    public Schema? Items { get; init; }

    public IReadOnlyList<string> Required { get; init; } = [];

    public IReadOnlyList<JsonNode?>? Enum { get; init; }

    public string? Pattern { get; init; }

    public Regex? PatternRegex { get; init; }

    public double? Minimum { get; init; }

    public double? Maximum { get; init; }

    public bool ExclusiveMinimum { get; init; }

    public bool ExclusiveMaximum { get; init; }

    public double? MultipleOf { get; init; }

    public long? MinLength { get; init; }

    public long? MaxLength { get; init; }

    public long? MinItems { get; init; }

    public long? MaxItems { get; init; }

    public long? MinProperties { get; init; }

    public long? MaxProperties { get; init; }

    public IReadOnlyList<Schema> AllOf { get; init; } = [];

    public IReadOnlyList<Schema> AnyOf { get; init; } = [];

    public IReadOnlyList<Schema> OneOf { get; init; } = [];

    public Schema? Not { get; init; }

    public bool IntOrString { get; init; }

    public bool EmbeddedResource { get; init; }

    public bool PreserveUnknownFields { get; init; }

    /// <summary>atomic, set or map; null is atomic for custom kinds.</summary>
    public string? ListType { get; init; }

    public IReadOnlyList<string> ListMapKeys { get; init; } = [];

    /// <summary>granular or atomic.</summary>
    public string? MapType { get; init; }

    /// <summary>For strategic merge patches of built-in kinds: merge, replace, retainKeys, separated by commas.</summary>
    public string? PatchStrategy { get; init; }

    public string? PatchMergeKey { get; init; }

    /// <summary>The name in OpenAPI of a built-in model, such as io.k8s.api.core.v1.Secret; nodes with a name are referred to, so they may contain themselves.</summary>
    public string? Model { get; init; }

    /// <summary>As the CRD has it, for OpenAPI; only at the root.</summary>
    public JsonObject? Source { get; init; }
}
