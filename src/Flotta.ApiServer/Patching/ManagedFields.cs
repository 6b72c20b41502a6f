using System.Globalization;
using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.Patching;

/// <summary>One entry of metadata.managedFields.</summary>
internal sealed record ManagedEntry(string Manager, string Operation, string ApiVersion, string Subresource, string Time, FieldSet Fields)
{
    public bool Applies => Operation == "Apply";

    /// <summary>An applier is the same in every version; an updater is another one in each.</summary>
    public string Identity => Applies ? $"Apply\0{Manager}\0{Subresource}" : $"Update\0{Manager}\0{Subresource}\0{ApiVersion}";

    /// <summary>As a conflict names it.</summary>
    public string Shown => GoText.Quote(Manager) + (Subresource.Length > 0 ? $" with subresource {GoText.Quote(Subresource)}" : "") + (Applies ? "" : $" using {ApiVersion}");

    public JsonObject ToJson()
    {
        var entry = new JsonObject { ["manager"] = Manager, ["operation"] = Operation, ["apiVersion"] = ApiVersion, ["time"] = Time, ["fieldsType"] = "FieldsV1", ["fieldsV1"] = Fields.ToJson() };
        if (Subresource.Length > 0) entry["subresource"] = Subresource;
        return entry;
    }
}

/// <summary>metadata.managedFields as a whole.</summary>
internal static class ManagedFields
{
    // More updaters than this are merged, the oldest first: a manager that names itself anew each time would fill the object.
    private const int MaxUpdaters = 10;
    private const string Ancient = "ancient-changes";

    /// <summary>Null when they are not what this server writes.</summary>
    public static List<ManagedEntry>? Read(JsonObject? item)
    {
        var entries = new List<ManagedEntry>();
        foreach (var entry in item?["metadata"].At("managedFields") as JsonArray ?? [])
        {
            var operation = entry.TextAt("operation");
            if (operation is not ("Apply" or "Update") || entry.TextAt("fieldsType") != "FieldsV1" || FieldSet.FromJson(entry.At("fieldsV1")) is not { } fields)
                return null;
            entries.Add(new ManagedEntry(entry.TextAt("manager"), operation, entry.TextAt("apiVersion"), entry.TextAt("subresource"), entry.TextAt("time"), fields));
        }

        return entries;
    }

    public static void Write(JsonObject item, IEnumerable<ManagedEntry> entries)
    {
        if (item["metadata"] is not JsonObject metadata) item["metadata"] = metadata = [];
        var kept = Capped([.. entries.Where(entry => !entry.Fields.IsEmpty)])
            .OrderBy(entry => entry.Operation, StringComparer.Ordinal)
            .ThenBy(entry => entry.Time, StringComparer.Ordinal)
            .ThenBy(entry => entry.Manager, StringComparer.Ordinal)
            .ThenBy(entry => entry.ApiVersion, StringComparer.Ordinal)
            .ThenBy(entry => entry.Subresource, StringComparer.Ordinal)
            .Select(entry => (JsonNode)entry.ToJson())
            .ToArray();
        if (kept.Length > 0) metadata["managedFields"] = new JsonArray(kept);
        else metadata.Remove("managedFields");
    }

    public static string Stamp(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    private static List<ManagedEntry> Capped(List<ManagedEntry> entries)
    {
        var updaters = entries.Where(entry => !entry.Applies && entry.Subresource.Length == 0 && entry.Manager != Ancient).OrderBy(entry => entry.Time, StringComparer.Ordinal).ToList();
        foreach (var oldest in updaters.Take(Math.Max(0, updaters.Count - MaxUpdaters)))
        {
            var known = entries.Find(entry => entry.Manager == Ancient && !entry.Applies && entry.ApiVersion == oldest.ApiVersion);
            entries.Remove(oldest);
            if (known is null)
            {
                entries.Add(oldest with { Manager = Ancient });
            }
            else
            {
                entries.Remove(known);
                entries.Add(known with { Fields = known.Fields.Union(oldest.Fields), Time = oldest.Time });
            }
        }

        return entries;
    }
}
