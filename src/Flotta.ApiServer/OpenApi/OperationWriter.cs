using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.OpenApi;

/// <summary>The verbs of a resource as OpenAPI operations. kubectl looks here for what a server can do: dryRun and fieldValidation on PATCH.</summary>
internal sealed class OperationWriter(bool v3)
{
    private static readonly string[] Patches =
    [
        "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml",
    ];

    private static readonly (string Name, string Type, string Description)[] WriteParameters =
    [
        ("dryRun", "string", "All: everything is done but the write."),
        ("fieldManager", "string", "Who makes the change, at most 128 printable characters."),
        ("fieldValidation", "string", "What becomes of unknown and duplicate fields: Ignore, Warn or Strict."),
    ];

    private static readonly (string Name, string Type, string Description)[] ListParameters =
    [
        ("allowWatchBookmarks", "boolean", "Watch events of type BOOKMARK are wanted."),
        ("continue", "string", "The token of the previous part of the list."),
        ("fieldSelector", "string", "Only objects whose fields match."),
        ("labelSelector", "string", "Only objects whose labels match."),
        ("limit", "integer", "At most so many items."),
        ("resourceVersion", "string", "Which version of the list is wanted."),
        ("resourceVersionMatch", "string", "How resourceVersion is meant: NotOlderThan or Exact."),
        ("sendInitialEvents", "boolean", "A watch that begins with what there is."),
        ("timeoutSeconds", "integer", "How long a watch lasts at most."),
        ("watch", "boolean", "Changes are wanted instead of a list."),
    ];

    /// <param name="across">Over all namespaces, where nothing can be created.</param>
    public JsonObject Collection(ResourceDefinition definition, bool across)
    {
        var item = new JsonObject();
        var name = ModelWriter.NameOf(definition);
        if (Has("list"))
            item["get"] = Operation(definition, "list", across ? "ForAllNamespaces" : "", ListParameters, name + "List", null, 200);
        if (Has("create") && !across)
            item["post"] = Operation(definition, "create", "", WriteParameters, name, name, 200, 201, 202);
        if (Has("deletecollection") && !across)
            item["delete"] = Operation(definition, "deletecollection", "", ListParameters, null, null, 200);
        item["parameters"] = Parameters(definition, named: false, across);
        return item;

        bool Has(string verb) => definition.Verbs.Contains(verb, StringComparer.Ordinal);
    }

    /// <param name="subresource">Status, or empty.</param>
    public JsonObject Item(ResourceDefinition definition, string subresource)
    {
        var item = new JsonObject();
        var name = ModelWriter.NameOf(definition);
        if (Has("get")) item["get"] = Operation(definition, "get", subresource, [], name, null, 200);
        if (Has("update")) item["put"] = Operation(definition, "put", subresource, WriteParameters, name, name, 200, 201);
        if (Has("delete") && subresource.Length == 0)
            item["delete"] = Operation(definition, "delete", subresource,
                [WriteParameters[0], ("gracePeriodSeconds", "integer", "Seconds until it goes."), ("propagationPolicy", "string", "Orphan, Background or Foreground.")],
                null, null, 200, 202);
        if (Has("patch"))
        {
            var patch = Operation(definition, "patch", subresource,
                [.. WriteParameters, ("force", "boolean", "Apply also where others own the fields.")], name, null, 200, 201);
            // kubectl sends strategic merge patches where they are named here.
            var types = Patches.Where(type => definition.BuiltIn || !type.Contains("strategic", StringComparison.Ordinal)).ToArray();
            if (v3)
                patch["requestBody"] = new JsonObject
                {
                    ["content"] = new JsonObject(types.Select(type => KeyValuePair.Create(type, (JsonNode?)new JsonObject { ["schema"] = new JsonObject { ["type"] = "object" } }))),
                };
            else
                patch["consumes"] = new JsonArray([.. types.Select(type => (JsonNode)type)]);
            item["patch"] = patch;
        }

        item["parameters"] = Parameters(definition, named: true, across: false);
        return item;

        bool Has(string verb) => definition.Verbs.Contains(verb, StringComparer.Ordinal);
    }

    private JsonObject Operation(
        ResourceDefinition definition, string action, string suffix, (string Name, string Type, string Description)[] parameters, string? answers, string? takes, params int[] codes)
    {
        var operation = new JsonObject
        {
            ["description"] = $"{action} {definition.Kind}{(suffix.Length > 0 ? " " + suffix : "")}",
            ["operationId"] = $"{action}{Identifier(definition)}{suffix}",
        };
        var list = new JsonArray([.. parameters.Select(each => (JsonNode)Query(each.Name, each.Type, each.Description))]);
        if (takes is not null && !v3)
            list.Insert(0, new JsonObject { ["name"] = "body", ["in"] = "body", ["required"] = true, ["schema"] = new JsonObject { ["$ref"] = "#/definitions/" + takes } });
        if (takes is not null && v3) operation["requestBody"] = new JsonObject { ["required"] = true, ["content"] = Content(takes) };
        operation["parameters"] = list;
        var responses = new JsonObject();
        foreach (var code in codes) responses[code.ToString(System.Globalization.CultureInfo.InvariantCulture)] = Response(code, answers);
        responses["401"] = new JsonObject { ["description"] = "Unauthorized" };
        operation["responses"] = responses;
        operation["x-kubernetes-action"] = action;
        operation["x-kubernetes-group-version-kind"] = ModelWriter.KindOf(definition, definition.Kind);
        return operation;
    }

    private JsonObject Response(int code, string? model)
    {
        var response = new JsonObject { ["description"] = code == 200 ? "OK" : code == 201 ? "Created" : "Accepted" };
        if (model is null) return response;
        if (v3) response["content"] = Content(model);
        else response["schema"] = new JsonObject { ["$ref"] = "#/definitions/" + model };
        return response;
    }

    private static JsonObject Content(string model) => new()
    {
        ["application/json"] = new JsonObject { ["schema"] = new JsonObject { ["$ref"] = "#/components/schemas/" + model } },
    };

    private JsonObject Query(string name, string type, string description) => v3
        ? new JsonObject { ["name"] = name, ["in"] = "query", ["description"] = description, ["schema"] = new JsonObject { ["type"] = type, ["uniqueItems"] = true } }
        : new JsonObject { ["name"] = name, ["in"] = "query", ["description"] = description, ["type"] = type, ["uniqueItems"] = true };

    private JsonArray Parameters(ResourceDefinition definition, bool named, bool across)
    {
        var parameters = new JsonArray();
        if (named) parameters.Add((JsonNode)Path("name", "name of the " + definition.Kind));
        if (definition.Namespaced && !across) parameters.Add((JsonNode)Path("namespace", "object name and auth scope, such as for teams and projects"));
        parameters.Add((JsonNode)Query("pretty", "string", "If true, the answer is indented."));
        return parameters;
    }

    private JsonObject Path(string name, string description)
    {
        var path = Query(name, "string", description);
        path["in"] = "path";
        path["required"] = true;
        return path;
    }

    private static string Identifier(ResourceDefinition definition)
    {
        var words = (definition.Group.Length == 0 ? "core" : definition.Group).Split('.', '-').Append(definition.Version);
        return string.Concat(words.Where(word => word.Length > 0).Select(word => char.ToUpperInvariant(word[0]) + word[1..])) +
               (definition.Namespaced ? "Namespaced" : "") + definition.Kind;
    }
}
