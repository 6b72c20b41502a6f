using System.Text;
using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.OpenApi;

/// <summary>
/// A Swagger document as gnostic's openapi.v2.Document, which is what kubectl reads. Field numbers: google/gnostic openapiv2/OpenAPIv2.proto.
/// Only what <see cref="OpenApiDocuments"/> writes is encoded.
/// </summary>
internal static class SwaggerProtobuf
{
    public static byte[] Encode(JsonObject document)
    {
        var message = new ProtobufMessage();
        message.Text(1, document.TextAt("swagger"));
        message.Message(2, info =>
        {
            info.Text(1, document["info"].TextAt("title"));
            info.Text(2, document["info"].TextAt("version"));
        });
        message.Message(8, paths =>
        {
            foreach (var (path, item) in document["paths"] as JsonObject ?? [])
                paths.Message(2, named => Named(named, path, value => PathItem(value, (JsonObject)item!)));
        });
        message.Message(9, definitions =>
        {
            foreach (var (name, schema) in document["definitions"] as JsonObject ?? [])
                definitions.Message(1, named => Named(named, name, value => Schema(value, (JsonObject)schema!)));
        });
        return message.ToArray();
    }

    private static void Named(ProtobufMessage message, string name, Action<ProtobufMessage> value)
    {
        message.Text(1, name);
        message.Message(2, value);
    }

    private static void PathItem(ProtobufMessage message, JsonObject item)
    {
        foreach (var (verb, number) in (ReadOnlySpan<(string, int)>)[("get", 2), ("put", 3), ("post", 4), ("delete", 5), ("patch", 8)])
        {
            if (item[verb] is JsonObject operation) message.Message(number, value => Operation(value, operation));
        }

        foreach (var parameter in item["parameters"].Objects()) message.Message(9, value => Parameter(value, parameter));
    }

    private static void Operation(ProtobufMessage message, JsonObject operation)
    {
        message.Text(3, operation.TextAt("description"));
        message.Text(5, operation.TextAt("operationId"));
        foreach (var type in operation["consumes"].Texts()) message.Text(7, type);
        foreach (var parameter in operation["parameters"].Objects()) message.Message(8, value => Parameter(value, parameter));
        message.Message(9, responses =>
        {
            foreach (var (code, response) in operation["responses"] as JsonObject ?? [])
            {
                responses.Message(1, named => Named(named, code, value => value.Message(1, inner =>
                {
                    inner.Text(1, response.TextAt("description"));
                    if (response.At("schema") is JsonObject schema) inner.Message(2, either => either.Message(1, body => Schema(body, schema)));
                })));
            }
        });
        Extensions(message, 13, operation);
    }

    // ParametersItem → Parameter → BodyParameter, or NonBodyParameter → query or path.
    private static void Parameter(ProtobufMessage message, JsonObject parameter) => message.Message(1, either =>
    {
        var place = parameter.TextAt("in");
        if (place == "body")
        {
            either.Message(1, body =>
            {
                body.Text(2, parameter.TextAt("name"));
                body.Text(3, place);
                body.Flag(4, parameter["required"].AsBoolean() == true);
                if (parameter["schema"] is JsonObject schema) body.Message(5, value => Schema(value, schema));
            });
            return;
        }

        either.Message(2, other => other.Message(place == "path" ? 4 : 3, value =>
        {
            value.Flag(1, parameter["required"].AsBoolean() == true);
            value.Text(2, place);
            value.Text(3, parameter.TextAt("description"));
            value.Text(4, parameter.TextAt("name"));
            value.Text(place == "path" ? 5 : 6, parameter.TextAt("type"));
            value.Flag(place == "path" ? 19 : 20, parameter["uniqueItems"].AsBoolean() == true);
        }));
    });

    private static void Schema(ProtobufMessage message, JsonObject schema)
    {
        message.Text(1, schema.TextAt("$ref"));
        message.Text(2, schema.TextAt("format"));
        message.Text(3, schema.TextAt("title"));
        message.Text(4, schema.TextAt("description"));
        message.Number(6, schema["multipleOf"].AsNumber());
        message.Number(7, schema["maximum"].AsNumber());
        message.Number(9, schema["minimum"].AsNumber());
        foreach (var (name, number) in (ReadOnlySpan<(string, int)>)
                 [("maxLength", 11), ("minLength", 12), ("maxItems", 14), ("minItems", 15), ("maxProperties", 17), ("minProperties", 18)])
            message.Integer(number, schema[name].AsInteger());
        message.Text(13, schema.TextAt("pattern"));
        foreach (var name in schema["required"].Texts()) message.Text(19, name);
        foreach (var value in schema["enum"] as JsonArray ?? []) message.Message(20, any => Any(any, value));
        if (schema["additionalProperties"] is JsonObject additional) message.Message(21, either => either.Message(1, value => Schema(value, additional)));
        else if (schema["additionalProperties"].AsBoolean() is { } allowed) message.Message(21, either => either.Flag(2, allowed));
        if (schema.TextAt("type") is { Length: > 0 } type) message.Message(22, value => value.Text(1, type));
        if (schema["items"] is JsonObject items) message.Message(23, list => list.Message(1, value => Schema(value, items)));
        if (schema["properties"] is JsonObject properties)
            message.Message(25, map =>
            {
                foreach (var (name, property) in properties) map.Message(1, named => Named(named, name, value => Schema(value, property as JsonObject ?? [])));
            });
        Extensions(message, 31, schema);
    }

    private static void Extensions(ProtobufMessage message, int number, JsonObject of)
    {
        foreach (var (name, value) in of)
        {
            if (name.StartsWith("x-", StringComparison.Ordinal)) message.Message(number, named => Named(named, name, any => Any(any, value)));
        }
    }

    // JSON is YAML.
    private static void Any(ProtobufMessage message, JsonNode? value) => message.Text(2, (value?.ToJsonString() ?? "null") + "\n");
}

/// <summary>As much of protobuf's wire format as that takes. Empty values are left out, as protobuf does.</summary>
internal sealed class ProtobufMessage
{
    private readonly MemoryStream bytes = new();

    public byte[] ToArray() => bytes.ToArray();

    public void Text(int number, string text)
    {
        if (text.Length == 0) return;
        Bytes(number, Encoding.UTF8.GetBytes(text));
    }

    public void Flag(int number, bool value)
    {
        if (!value) return;
        Varint(((ulong)number << 3) | 0);
        Varint(1);
    }

    public void Integer(int number, long? value)
    {
        if (value is null or 0) return;
        Varint(((ulong)number << 3) | 0);
        Varint((ulong)value.Value);
    }

    public void Number(int number, double? value)
    {
        if (value is null or 0) return;
        Varint(((ulong)number << 3) | 1);
        Span<byte> buffer = stackalloc byte[8];
        System.Buffers.Binary.BinaryPrimitives.WriteDoubleLittleEndian(buffer, value.Value);
        bytes.Write(buffer);
    }

    public void Message(int number, Action<ProtobufMessage> write)
    {
        var inner = new ProtobufMessage();
        write(inner);
        Bytes(number, inner.ToArray());
    }

    private void Bytes(int number, ReadOnlySpan<byte> content)
    {
        Varint(((ulong)number << 3) | 2);
        Varint((ulong)content.Length);
        bytes.Write(content);
    }

    private void Varint(ulong value)
    {
        while (value >= 0x80)
        {
            bytes.WriteByte((byte)(value | 0x80));
            value >>= 7;
        }

        bytes.WriteByte((byte)value);
    }
}
