using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

/// <summary>Events are one thing under two names: v1 is what is stored, events.k8s.io/v1 is another view of it.</summary>
internal static class Events
{
    private const int MaxMessage = 1024;

    // The field of v1 beside the field of events.k8s.io/v1.
    private static readonly (string Core, string Grouped)[] Renames =
    [
        ("involvedObject", "regarding"),
        ("message", "note"),
        ("source", "deprecatedSource"),
        ("firstTimestamp", "deprecatedFirstTimestamp"),
        ("lastTimestamp", "deprecatedLastTimestamp"),
        ("count", "deprecatedCount"),
        ("reportingComponent", "reportingController"),
    ];

    private static readonly Schema Source = Models.Model(
        "io.k8s.api.core.v1.EventSource",
        "EventSource says where an event comes from.",
        ("component", Models.Text("Which program.")),
        ("host", Models.Text("On which node.")));

    private static readonly PrinterColumn[] Columns =
    [
        Cells.Column("Last Seen", "When it last happened."),
        Cells.Column("Type", "Normal or Warning."),
        Cells.Column("Reason", "One word for why."),
        Cells.Column("Object", "What the event is about."),
        Cells.Column("Subobject", "Which part of the object.", 1),
        Cells.Column("Source", "Who reports it.", 1),
        Cells.Column("Message", "What a person should know."),
        Cells.Column("First Seen", "When it first happened.", 1),
        Cells.Column("Count", "How often it happened.", 1),
        new("Name", "string", "", "name", Cells.Name.Description, 1),
    ];

    // By their names in v1; what about the event is, and what it must have, differs.
    private static readonly (string Core, string Path)[] Selectable =
    [
        ("involvedObject.kind", ""), ("involvedObject.namespace", ""), ("involvedObject.name", ""), ("involvedObject.uid", ""), ("involvedObject.apiVersion", ""),
        ("involvedObject.resourceVersion", ""), ("involvedObject.fieldPath", ""), ("reason", ""), ("reportingComponent", ""), ("source", "source.component"), ("type", ""),
    ];

    public static ResourceDefinition Core { get; } = Define("", "core", core => core, required: "involvedObject") with { Check = CheckCore, Cells = Row };

    public static ResourceDefinition Grouped { get; } = Define("events.k8s.io", "events", InGroup, required: "eventTime") with
    {
        StoredAs = Core,
        FromStored = FromCore,
        ToStored = ToCore,
        Check = CheckGrouped,
        Cells = (item, now) => Row(ToCore(item), now),
    };

    private static ResourceDefinition Define(string group, string model, Func<string, string> name, string required) => ResourceDefinition.OfServer(group, "Event", namespaced: true) with
    {
        ShortNames = ["ev"],
        SelectableFields = [.. Selectable.Select(each => each.Path.Length == 0 ? OfPath(each.Core, name) : $"{each.Core}:{OfPath(each.Path, name)}")],
        Normalise = (item, _) => Complete(item, name),
        PrinterColumns = Columns,
        Schema = new ObjectSchema(Models.Kind(
            $"io.k8s.api.{model}.v1.Event",
            "Event tells of something that happened to an object. Events are kept for a limited time.",
            [.. Fields(model).Select(field => (name(field.Name) + (field.Name == required ? "!" : ""), field.Schema)).OrderBy(field => field.Item1, StringComparer.Ordinal)])),
    };

    private static (string Name, Schema Schema)[] Fields(string model) =>
    [
        ("action", Models.Text("What was done or failed.")),
        ("count", Models.Int32("How often this has happened.")),
        ("eventTime", Models.MicroTime("When it was first observed.")),
        ("firstTimestamp", Models.Time("When it was first recorded.")),
        ("involvedObject", Models.ObjectReference),
        ("lastTimestamp", Models.Time("When it was last recorded.")),
        ("message", Models.Text("What a person should know.")),
        ("reason", Models.Text("One word for why.")),
        ("related", Models.ObjectReference),
        ("reportingComponent", Models.Text("The controller that reports it.")),
        ("reportingInstance", Models.Text("Which instance of that controller.")),
        ("series", Models.Model(
            $"io.k8s.api.{model}.v1.EventSeries",
            "EventSeries tells of an event that goes on.",
            ("count", Models.Int32("How often it happened in the series.")),
            ("lastObservedTime", Models.MicroTime("When it last happened.")))),
        ("source", Source),
        ("type", Models.Text("Normal or Warning.")),
    ];

    private static string OfPath(string path, Func<string, string> name) => string.Join('.', path.Split('.').Select((step, i) => i == 0 ? name(step) : step));

    private static string InGroup(string core) => Array.Find(Renames, pair => pair.Core == core).Grouped ?? core;

    public static JsonObject FromCore(JsonObject item)
    {
        var renamed = Rename(item, "events.k8s.io/v1", Renames.Select(pair => (pair.Core, pair.Grouped)));
        // v1 writes them when they are empty as well.
        foreach (var name in (ReadOnlySpan<string>)["reportingController", "reportingInstance"])
        {
            if (renamed.TextAt(name).Length == 0) renamed.Remove(name);
        }

        return renamed;
    }

    public static JsonObject ToCore(JsonObject item)
    {
        var renamed = Rename(item, "v1", Renames.Select(pair => (pair.Grouped, pair.Core)));
        Complete(renamed, name => name);
        return renamed;
    }

    private static JsonObject Rename(JsonObject item, string apiVersion, IEnumerable<(string From, string To)> names)
    {
        var map = names.ToDictionary(pair => pair.From, pair => pair.To, StringComparer.Ordinal);
        var renamed = new JsonObject();
        foreach (var (name, value) in item) renamed[map.GetValueOrDefault(name, name)] = value?.DeepClone();
        renamed["apiVersion"] = apiVersion;
        return renamed;
    }

    // Clients read these without asking whether they are there.
    private static void Complete(JsonObject item, Func<string, string> name)
    {
        item[name("involvedObject")] ??= new JsonObject();
        item[name("source")] ??= new JsonObject();
        foreach (var time in (ReadOnlySpan<string>)["firstTimestamp", "lastTimestamp", "eventTime"])
        {
            if (!item.ContainsKey(name(time))) item[name(time)] = null;
        }

        item[name("reportingComponent")] ??= "";
        item["reportingInstance"] ??= "";
    }

    private static IReadOnlyList<FieldError> CheckCore(JsonObject item, JsonObject? old)
    {
        var errors = CheckNamespace(item, "involvedObject");
        // Events of the newer API that are written through v1 keep its rules.
        if (item["eventTime"] is not null && old is null) CheckNew(item, "message", "reportingComponent", errors);
        return errors;
    }

    private static IReadOnlyList<FieldError> CheckGrouped(JsonObject item, JsonObject? old)
    {
        var errors = CheckNamespace(item, "regarding");
        if (old is not null) return errors;
        if (item["eventTime"] is null) errors.Add(FieldError.Required("eventTime"));
        CheckNew(item, "note", "reportingController", errors);
        if (item.TextAt("type") is not ("Normal" or "Warning")) errors.Add(FieldError.Invalid("type", item.TextAt("type"), "has invalid value: " + item.TextAt("type")));
        return errors;
    }

    private static List<FieldError> CheckNamespace(JsonObject item, string about)
    {
        var home = item["metadata"].TextAt("namespace");
        var of = item[about].TextAt("namespace");
        // What has no namespace is told of in the default one.
        var matches = of.Length == 0 ? home is "" or "default" : of == home;
        return matches ? [] : [FieldError.Invalid("involvedObject.namespace", of, "does not match event.namespace")];
    }

    private static void CheckNew(JsonObject item, string message, string reporter, List<FieldError> errors)
    {
        if (item[reporter].AsText() is not { Length: > 0 } controller) errors.Add(FieldError.Required("reportingController"));
        else errors.AddRange(ObjectNames.CheckQualifiedName(controller).Select(wrong => FieldError.Invalid("reportingController", controller, wrong)));
        Require("reportingInstance", 128);
        Require("action", 128);
        Require("reason", 128);
        if (item.TextAt(message).Length > MaxMessage) errors.Add(FieldError.Invalid(message, "", $"can have at most {MaxMessage} characters"));

        void Require(string field, int most)
        {
            if (item.TextAt(field).Length == 0) errors.Add(FieldError.Required(field));
            else if (item.TextAt(field).Length > most) errors.Add(FieldError.Invalid(field, "", $"can have at most {most} characters"));
        }
    }

    private static JsonArray Row(JsonObject item, DateTimeOffset now)
    {
        var first = Time(item, "firstTimestamp") ?? Time(item, "eventTime");
        var last = item["series"].At("lastObservedTime").AsText() ?? Time(item, "lastTimestamp") ?? first;
        var count = item["series"].At("count").AsInteger() ?? item["count"].AsInteger() ?? 0;
        var about = item["involvedObject"];
        var component = item["source"].TextAt("component") is { Length: > 0 } named ? named : item.TextAt("reportingComponent");
        var host = item["source"].TextAt("host") is { Length: > 0 } node ? node : item.TextAt("reportingInstance");
        var what = about.TextAt("kind").ToLowerInvariant();
        return new JsonArray(
            Age.Of(last, now),
            item.TextAt("type"),
            item.TextAt("reason"),
            about.TextAt("name").Length > 0 ? $"{what}/{about.TextAt("name")}" : what,
            about.TextAt("fieldPath"),
            host.Length > 0 ? $"{component}, {host}" : component,
            item.TextAt("message").Trim(),
            Age.Of(first, now),
            Math.Max(count, 1),
            Cells.NameOf(item));
    }

    private static string? Time(JsonObject item, string field) => item[field].AsText() is { Length: > 0 } text ? text : null;
}
