using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.Tables;

internal enum IncludeObject
{
    Metadata,
    None,
    Object,
}

/// <summary>meta.k8s.io Tables: what kubectl get prints.</summary>
internal static class Table
{
    private static readonly PrinterColumn NameColumn = new(
        "Name", "string", ".metadata.name", "name", "Name must be unique within a namespace; a generated one is made from generateName. It cannot be updated.");

    private static readonly PrinterColumn AgeColumn = new(
        "Age", "date", ".metadata.creationTimestamp", "", "CreationTimestamp is the server's time when this object was created, in UTC.");

    /// <param name="definition">Whose columns.</param>
    /// <param name="objects">The rows.</param>
    /// <param name="listMetadata">The list's (or for a single object its) resourceVersion, continue, remainingItemCount.</param>
    /// <param name="include">What each row carries of its object.</param>
    /// <param name="withColumns">False for the second and later events of a watch.</param>
    /// <param name="version">v1 or v1beta1.</param>
    /// <param name="now">Ages are counted to here.</param>
    public static JsonObject Render(
        ResourceDefinition definition, IEnumerable<JsonObject> objects, JsonObject listMetadata, IncludeObject include, bool withColumns, string version, DateTimeOffset now)
    {
        var columns = Columns(definition);
        var table = new JsonObject { ["kind"] = "Table", ["apiVersion"] = "meta.k8s.io/" + version, ["metadata"] = listMetadata.DeepClone() };
        table["columnDefinitions"] = withColumns ? new JsonArray([.. columns.Select(Definition)]) : new JsonArray();
        var paths = columns.Select(column => JsonPath.Compile(column.JsonPath)).ToArray();
        var rows = new JsonArray();
        foreach (var item in objects)
        {
            var cells = definition.Cells?.Invoke(item, now) ?? [.. columns.Select((column, i) => Cell(column, paths[i], item, now))];
            var row = new JsonObject { ["cells"] = cells };
            if (include == IncludeObject.Object) row["object"] = item.DeepClone();
            else if (include == IncludeObject.Metadata) row["object"] = PartialMetadata(item, version);
            else row["object"] = null;
            rows.Add((JsonNode)row);
        }

        table["rows"] = rows;
        return table;
    }

    /// <summary>An object with nothing but its metadata.</summary>
    public static JsonObject PartialMetadata(JsonObject item, string version = "v1") => new()
    {
        ["kind"] = "PartialObjectMetadata",
        ["apiVersion"] = "meta.k8s.io/" + version,
        ["metadata"] = item["metadata"]?.DeepClone(),
    };

    private static IReadOnlyList<PrinterColumn> Columns(ResourceDefinition definition)
    {
        // Built-in kinds name all of their columns: events do not begin with their names.
        if (definition.Cells is not null) return definition.PrinterColumns;
        return definition.PrinterColumns.Count == 0 ? [NameColumn, AgeColumn] : [NameColumn, .. definition.PrinterColumns];
    }

    private static JsonObject Definition(PrinterColumn column) => new()
    {
        ["name"] = column.Name,
        ["type"] = column.Type,
        ["format"] = column.Format,
        ["description"] = column.Description.Length > 0 ? column.Description : "Custom resource definition column (in JSONPath format): " + column.JsonPath,
        ["priority"] = column.Priority,
    };

    private static JsonNode? Cell(PrinterColumn column, JsonPath? path, JsonObject item, DateTimeOffset now)
    {
        // Only the first of several results is shown.
        if (path?.Find(item).Take(1).ToList() is not [{ } value]) return null;
        return column.Type switch
        {
            "string" => value.AsText() ?? (value is JsonValue ? GoText.Value(value) : value.ToJsonString()),
            "integer" => value.AsInteger() ?? (value.AsNumber() is { } number ? (long)number : null),
            "number" => value.AsNumber(),
            "boolean" => value.AsBoolean(),
            "date" => value.AsText() is { } text ? Age.Of(text, now) : null,
            _ => null,
        };
    }
}
