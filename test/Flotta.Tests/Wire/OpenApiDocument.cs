using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Flotta.Wire;

namespace Flotta.Tests.Wire;

/// <summary>OpenAPI documents of what crosses the network, from the records that cross it.</summary>
internal sealed class OpenApiDocument(string title, string @base, string description)
{
    private readonly JsonObject schemas = [];
    private readonly JsonObject paths = [];

    public JsonObject Finish() => new()
    {
        ["openapi"] = "3.1.0",
        ["info"] = new JsonObject { ["title"] = title, ["version"] = "v1", ["description"] = description },
        ["servers"] = new JsonArray(new JsonObject { ["url"] = @base }),
        ["paths"] = paths,
        ["components"] = new JsonObject
        {
            ["schemas"] = new JsonObject(schemas.OrderBy(schema => schema.Key, StringComparer.Ordinal).Select(schema => KeyValuePair.Create(schema.Key, schema.Value?.DeepClone()))),
        },
    };

    public void Operation(string path, string method, string id, string summary, JsonNode? body, params (int Status, string Means, JsonNode? Schema)[] answers)
    {
        if (paths[path] is not JsonObject item)
        {
            paths[path] = item = new JsonObject
            {
                ["parameters"] = new JsonArray([.. path.Split('{').Skip(1).Select(part => (JsonNode)new JsonObject
                {
                    ["name"] = part[..part.IndexOf('}')], ["in"] = "path", ["required"] = true, ["schema"] = new JsonObject { ["type"] = "string" },
                })]),
            };
        }

        var operation = new JsonObject { ["operationId"] = id, ["summary"] = summary };
        if (body != null)
            operation["requestBody"] = new JsonObject { ["required"] = true, ["content"] = Json(body) };
        var responses = new JsonObject();
        foreach (var (status, means, schema) in answers)
        {
            var response = new JsonObject { ["description"] = means };
            if (schema != null)
                response["content"] = Json(schema);
            responses[status.ToString(System.Globalization.CultureInfo.InvariantCulture)] = response;
        }

        operation["responses"] = responses;
        item[method] = operation;
    }

    public JsonNode Of<T>() => Of(WireJson.Types.GetTypeInfo(typeof(T))!);

    private static JsonObject Json(JsonNode schema) => new() { ["application/json"] = new JsonObject { ["schema"] = schema } };

    private JsonNode Of(JsonTypeInfo info)
    {
        var type = Nullable.GetUnderlyingType(info.Type) ?? info.Type;
        if (type == typeof(JsonElement))
            return new JsonObject();
        return info.Kind switch
        {
            JsonTypeInfoKind.Enumerable => new JsonObject { ["type"] = "array", ["items"] = Of(WireJson.Types.GetTypeInfo(info.ElementType!)!) },
            JsonTypeInfoKind.Dictionary => new JsonObject { ["type"] = "object", ["additionalProperties"] = Of(WireJson.Types.GetTypeInfo(info.ElementType!)!) },
            JsonTypeInfoKind.Object => Reference(type, info),
            _ => Scalar(type),
        };
    }

    private JsonObject Reference(Type type, JsonTypeInfo info)
    {
        if (!schemas.ContainsKey(type.Name))
        {
            schemas[type.Name] = null; // a record may contain itself
            schemas[type.Name] = new JsonObject
            {
                ["type"] = "object",
                ["properties"] = new JsonObject(info.Properties.OrderBy(property => property.Name, StringComparer.Ordinal)
                    .Select(property => KeyValuePair.Create(property.Name, (JsonNode?)Of(WireJson.Types.GetTypeInfo(property.PropertyType)!)))),
            };
        }

        return new JsonObject { ["$ref"] = "#/components/schemas/" + type.Name };
    }

    private static JsonObject Scalar(Type type) => Type.GetTypeCode(type) switch
    {
        TypeCode.Boolean => new() { ["type"] = "boolean" },
        TypeCode.Int32 => new() { ["type"] = "integer", ["format"] = "int32" },
        TypeCode.Int64 => new() { ["type"] = "integer", ["format"] = "int64" },
        TypeCode.Double or TypeCode.Decimal or TypeCode.Single => new() { ["type"] = "number" },
        _ when type == typeof(DateTimeOffset) => new() { ["type"] = "string", ["format"] = "date-time" },
        _ when type == typeof(string) => new() { ["type"] = "string" },
        _ => throw new NotSupportedException($"{type} has no schema"),
    };
}
