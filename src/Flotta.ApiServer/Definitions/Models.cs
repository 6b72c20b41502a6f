using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>A small language to write the built-in kinds' schemas in, and the models that several kinds share.</summary>
internal static class Models
{
    public static Schema Text(string description, JsonNode? standard = null) => new() { Type = "string", Description = description, Default = standard };

    public static Schema Flag(string description) => new() { Type = "boolean", Description = description };

    public static Schema Int32(string description) => new() { Type = "integer", Format = "int32", Description = description };

    public static Schema Int64(string description) => new() { Type = "integer", Format = "int64", Description = description };

    public static Schema Float(string description) => new() { Type = "number", Format = "double", Description = description };

    public static Schema Bytes(string description) => new() { Type = "string", Format = "byte", Description = description };

    public static Schema Time(string description) =>
        new() { Type = "string", Format = "date-time", Nullable = true, Description = description, Model = "io.k8s.apimachinery.pkg.apis.meta.v1.Time" };

    public static Schema MicroTime(string description) =>
        new() { Type = "string", Format = "date-time", Nullable = true, Description = description, Model = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime" };

    public static Schema Texts(string description, string? listType = null, string? patchStrategy = null) =>
        new() { Type = "array", Items = new Schema { Type = "string" }, Description = description, ListType = listType, PatchStrategy = patchStrategy };

    public static Schema TextMap(string description) =>
        new() { Type = "object", AdditionalProperties = new Schema { Type = "string" }, Description = description, MapType = "granular" };

    public static Schema BytesMap(string description) =>
        new() { Type = "object", AdditionalProperties = new Schema { Type = "string", Format = "byte" }, Description = description, MapType = "granular" };

    /// <summary>A list of objects; with a merge key it is a map in strategic merge patches and in apply.</summary>
    public static Schema List(Schema items, string description, string? mergeKey = null, string? listType = null) => new()
    {
        Type = "array",
        Items = items,
        Description = description,
        PatchStrategy = mergeKey is null ? null : "merge",
        PatchMergeKey = mergeKey,
        ListType = listType ?? (mergeKey is null ? "atomic" : "map"),
        ListMapKeys = mergeKey is null ? [] : [mergeKey],
    };

    /// <summary>Names that end in an exclamation mark are required.</summary>
    public static Schema Model(string name, string description, params (string Name, Schema Schema)[] properties) =>
        Model(name, description, atomic: false, properties);

    public static Schema Model(string name, string description, bool atomic, params (string Name, Schema Schema)[] properties) => new()
    {
        Type = "object",
        Model = name,
        Description = description,
        MapType = atomic ? "atomic" : null,
        Properties = properties.ToDictionary(each => each.Name.TrimEnd('!'), each => each.Schema, StringComparer.Ordinal),
        Required = [.. properties.Where(each => each.Name.EndsWith('!')).Select(each => each.Name.TrimEnd('!'))],
    };

    /// <summary>A model for whole objects: apiVersion, kind and metadata come first.</summary>
    public static Schema Kind(string name, string description, params (string Name, Schema Schema)[] properties) =>
        Model(name, description, [("apiVersion", ApiVersion), ("kind", KindName), ("metadata", ObjectMeta), .. properties]);

    public static Schema ApiVersion { get; } = Text(
        "APIVersion defines the versioned schema of this representation of an object: group/version, or version alone for the core group.");

    public static Schema KindName { get; } = Text("Kind is the name of the REST resource that this object represents, in CamelCase. It cannot be updated.");

    public static Schema OwnerReference { get; } = Model(
        "io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference",
        "OwnerReference identifies an object that owns this one, in the same namespace or cluster-scoped.",
        atomic: true,
        ("apiVersion!", Text("API version of the owner.")),
        ("blockOwnerDeletion", Flag("If true, and the owner has the finalizer foregroundDeletion, the owner stays until this reference is gone.")),
        ("controller", Flag("If true, the owner is the managing controller.")),
        ("kind!", Text("Kind of the owner.")),
        ("name!", Text("Name of the owner.")),
        ("uid!", Text("UID of the owner.")));

    public static Schema FieldsV1 { get; } = new()
    {
        Type = "object",
        Model = "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",
        Description = "FieldsV1 is a set of fields as a trie: f:<name> for a field, k:<keys> and v:<value> for list items, \".\" for the value itself.",
        PreserveUnknownFields = true,
    };

    public static Schema ManagedFieldsEntry { get; } = Model(
        "io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry",
        "ManagedFieldsEntry says which fields of the object one manager has set.",
        ("apiVersion", Text("The version of the object that the fields are of.")),
        ("fieldsType", Text("The format of the fields; always FieldsV1.")),
        ("fieldsV1", FieldsV1),
        ("manager", Text("Who manages these fields.")),
        ("operation", Text("Apply or Update.")),
        ("subresource", Text("The subresource through which the fields were set; empty for the object itself.")),
        ("time", Time("When the fields were last changed by this manager.")));

    public static Schema ObjectMeta { get; } = Model(
        "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
        "ObjectMeta is metadata that all persisted objects have.",
        ("annotations", TextMap("Annotations are unstructured keys and values that tools keep with an object; they cannot be selected by.")),
        ("clusterName", Text("Not used any more.")),
        ("creationTimestamp", Time("When the object was created, set by the server.")),
        ("deletionGracePeriodSeconds", Int64("Seconds that the object may take to end before it is removed. Read-only.")),
        ("deletionTimestamp", Time("When the object will be, or was asked to be, removed. Set by the server, read-only.")),
        ("finalizers", Texts("Must be empty before the object is removed. Each entry is the name of who will remove it.", "set", "merge")),
        ("generateName", Text("A prefix: the server makes a unique name of it when name is not given.")),
        ("generation", Int64("Counts the changes of the desired state. Read-only.")),
        ("labels", TextMap("Keys and values to organise and select objects by.")),
        ("managedFields", List(ManagedFieldsEntry, "Which manager set which fields; kept by the server.", listType: "atomic")),
        ("name", Text("Unique within a namespace. It cannot be updated.")),
        ("namespace", Text("The space within which each name is unique. It cannot be updated.")),
        ("ownerReferences", List(OwnerReference, "The objects that this one depends on; when all are gone it is garbage.", "uid")),
        ("resourceVersion", Text("An opaque value that changes with every write. Read-only.")),
        ("selfLink", Text("Not used any more.")),
        ("uid", Text("Unique in time and space; set by the server. Read-only.")));

    public static Schema LabelSelector { get; } = Model(
        "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector",
        "A label selector is a query over labels; all of its parts must hold. An empty one matches everything.",
        atomic: true,
        ("matchExpressions", List(Model(
            "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement",
            "One condition of a label selector.",
            ("key!", Text("The label key that this is about.")),
            ("operator!", Text("In, NotIn, Exists or DoesNotExist.")),
            ("values", Texts("For In and NotIn at least one value; else none."))), "Conditions, all of which must hold.")),
        ("matchLabels", TextMap("Labels that must be there with exactly these values.")));

    public static Schema ObjectReference { get; } = Model(
        "io.k8s.api.core.v1.ObjectReference",
        "ObjectReference names an object, or a part of one.",
        atomic: true,
        ("apiVersion", Text("API version of the object.")),
        ("fieldPath", Text("A part of the object, such as spec.containers{name}.")),
        ("kind", Text("Kind of the object.")),
        ("name", Text("Name of the object.")),
        ("namespace", Text("Namespace of the object.")),
        ("resourceVersion", Text("The version of the object that is meant.")),
        ("uid", Text("UID of the object.")));
}
