namespace Flotta.ApiServer.Definitions;

/// <summary>One served resource in one version: what discovery shows of it and how its objects are checked. Immutable; a changed CRD makes new ones.</summary>
internal sealed record ResourceDefinition
{
    /// <summary>A kind that is built into the server, named as all of Kubernetes' own are: `ConfigMap`, `configmaps`, `configmap`, `ConfigMapList`.</summary>
    public static ResourceDefinition OfServer(string group, string kind, bool namespaced, string version = "v1") => new()
    {
        Group = group,
        Version = version,
        Plural = kind.ToLowerInvariant() + "s",
        Singular = kind.ToLowerInvariant(),
        Kind = kind,
        ListKind = kind + "List",
        Namespaced = namespaced,
        BuiltIn = true,
    };

    /// <summary>Empty for the core group.</summary>
    public required string Group { get; init; }
    public required string Version { get; init; }
    public required string Plural { get; init; }
    public required string Singular { get; init; }
    public required string Kind { get; init; }
    public required string ListKind { get; init; }
    public IReadOnlyList<string> ShortNames { get; init; } = [];
    public IReadOnlyList<string> Categories { get; init; } = [];
    public required bool Namespaced { get; init; }
    public IReadOnlyList<string> Verbs { get; init; } = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

    /// <summary>There is a status subresource: writes to the object leave status alone, writes to status leave all but status alone.</summary>
    public bool HasStatus { get; init; }

    public ScaleSubresource? Scale { get; init; }

    public bool Has(string subresource) => subresource switch
    {
        "status" => HasStatus,
        "scale" => Scale is not null,
        _ => false,
    };

    /// <summary>Of another kind than the object: `serviceaccounts/token`.</summary>
    public IReadOnlyList<ServedSubresource> Subresources { get; init; } = [];

    /// <summary>Built into the server (strategic merge patch is served) rather than defined by a CRD.</summary>
    public bool BuiltIn { get; init; }

    /// <summary>Null: anything goes (x-kubernetes-preserve-unknown-fields at the root).</summary>
    public ObjectSchema? Schema { get; init; }

    /// <summary>The columns after Name, as the CRD or the built-in kind has them. Empty: Name and Age.</summary>
    public IReadOnlyList<PrinterColumn> PrinterColumns { get; init; } = [];

    /// <summary>Field selectors other than metadata.name and metadata.namespace, as dotted paths: `involvedObject.name`, `type`.</summary>
    public IReadOnlyList<string> SelectableFields { get; init; } = [];

    /// <summary>What a built-in kind does on create and update after defaulting and before validation, in place; old is null on create. E.g. Secret's stringData into data.</summary>
    public Action<System.Text.Json.Nodes.JsonObject, System.Text.Json.Nodes.JsonObject?>? Normalise { get; init; }

    /// <summary>Checks beyond the schema, of built-in kinds (immutable Secrets, their types, and so on); old is null on create.</summary>
    public Func<System.Text.Json.Nodes.JsonObject, System.Text.Json.Nodes.JsonObject?, IReadOnlyList<FieldError>>? Check { get; init; }

    /// <summary>spec (or whatever is not metadata and status) counts generations: true for CRDs.</summary>
    public bool HasGeneration { get; init; }

    /// <summary>All that is wrong with a metadata.name. Absent: a DNS subdomain.</summary>
    public Func<string, IEnumerable<string>>? CheckName { get; init; }

    /// <summary>The cells of a row, one per printer column, of built-in kinds whose columns are more than a path. Absent: by the columns' paths.</summary>
    public Func<System.Text.Json.Nodes.JsonObject, DateTimeOffset, System.Text.Json.Nodes.JsonArray>? Cells { get; init; }

    /// <summary>A Warning header of every answer of a deprecated version; already complete.</summary>
    public string? DeprecationWarning { get; init; }

    /// <summary>Not null: this is another view of that resource, which is what is stored (events.k8s.io of v1 events). Bodies go through ToStored and FromStored.</summary>
    public ResourceDefinition? StoredAs { get; init; }

    public Func<System.Text.Json.Nodes.JsonObject, System.Text.Json.Nodes.JsonObject>? ToStored { get; init; }

    public Func<System.Text.Json.Nodes.JsonObject, System.Text.Json.Nodes.JsonObject>? FromStored { get; init; }

    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>`edgedevices.management.project-flotta.io`, or `secrets`: as in the messages of the real server, and the key of storage.</summary>
    public string QualifiedPlural => Group.Length == 0 ? Plural : $"{Plural}.{Group}";
}

internal sealed record ServedSubresource(string Name, string Group, string Version, string Kind, IReadOnlyList<string> Verbs);

internal sealed record ScaleSubresource(string SpecReplicasPath, string StatusReplicasPath, string? LabelSelectorPath);

internal sealed record PrinterColumn(string Name, string Type, string JsonPath, string Format = "", string Description = "", int Priority = 0);
