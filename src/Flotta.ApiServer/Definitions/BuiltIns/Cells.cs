using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>Columns that many built-in kinds share, and how they are filled.</summary>
internal static class Cells
{
    public static PrinterColumn Name { get; } = Column("Name", "Name must be unique within a namespace. It cannot be updated.", format: "name");

    public static PrinterColumn Age { get; } = Column("Age", "The time since the server created this object.");

    public static PrinterColumn CreatedAt { get; } =
        new("Created At", "date", ".metadata.creationTimestamp", Description: "The server's time when this object was created, in UTC.");

    public static PrinterColumn Column(string name, string description, int priority = 0, string format = "") => new(name, "string", "", format, description, priority);

    public static JsonNode? NameOf(JsonObject item) => item["metadata"].TextAt("name");

    public static JsonNode? AgeOf(JsonObject item, DateTimeOffset now) => Definitions.Age.Of(item["metadata"].TextAt("creationTimestamp"), now);

    public static int Count(params ReadOnlySpan<JsonNode?> values)
    {
        var count = 0;
        foreach (var value in values) count += value is JsonObject map ? map.Count : value is JsonArray list ? list.Count : 0;
        return count;
    }
}
