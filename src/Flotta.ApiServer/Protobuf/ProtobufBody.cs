using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Protobuf;

/// <summary>Request bodies in `application/vnd.kubernetes.protobuf`, in which newer kubectls send built-in kinds, read into JSON.</summary>
internal static class ProtobufBody
{
    public const string MediaType = "application/vnd.kubernetes.protobuf";

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Null: of a kind that is not known here.</summary>
    /// <exception cref="FormatException">It is not so encoded.</exception>
    public static JsonObject? Read(ReadOnlySpan<byte> body)
    {
        if (!body.StartsWith("k8s\0"u8))
            throw new FormatException("it does not begin as Kubernetes' protobuf does");
        var (apiVersion, kind) = ("", "");
        ReadOnlySpan<byte> raw = default;
        var reader = new ProtobufReader(body[4..]);
        while (reader.Next())
        {
            if (reader.Field == 1)
                (apiVersion, kind) = Type(reader.Bytes);
            else if (reader.Field == 2)
                raw = reader.Bytes;
        }

        if (KnownMessages.Find(apiVersion, kind) is not { } shape)
            return null;
        var value = new JsonObject { ["apiVersion"] = apiVersion, ["kind"] = kind };
        Read(raw, shape, value);
        return value;
    }

    private static (string ApiVersion, string Kind) Type(ReadOnlySpan<byte> bytes)
    {
        var (apiVersion, kind) = ("", "");
        var reader = new ProtobufReader(bytes);
        while (reader.Next())
        {
            if (reader.Field == 1)
                apiVersion = Text(reader.Bytes);
            else if (reader.Field == 2)
                kind = Text(reader.Bytes);
        }

        return (apiVersion, kind);
    }

    // Shapes do not contain themselves, so the depth is theirs.
    private static void Read(ReadOnlySpan<byte> message, MessageShape shape, JsonObject into)
    {
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            if (shape.Field(reader.Field) is not { } field)
                continue;
            if (reader.HasBytes != field.Type is not (FieldType.Flag or FieldType.Number))
                throw new FormatException($"{field.Name} is encoded as something else");
            if (field.Type is FieldType.TextMap or FieldType.BytesMap)
                Entry(reader.Bytes, field, into);
            else if (field.Repeated)
                ((JsonArray)(into[field.Name] ??= new JsonArray())).Add(Value(reader, field));
            // Go writes empty texts and times that JSON leaves out.
            else if (Value(reader, field) is { } value && !(field.Type == FieldType.Text && reader.Bytes.IsEmpty))
                into[field.Name] = value;
        }
    }

    private static JsonNode? Value(ProtobufReader reader, FieldShape field)
    {
        switch (field.Type)
        {
            case FieldType.Text:
                return Text(reader.Bytes);
            case FieldType.Bytes:
                return Convert.ToBase64String(reader.Bytes);
            case FieldType.Flag:
                return reader.Number != 0;
            case FieldType.Number:
                // Parsed, so that it reads as any width of number.
                return JsonNode.Parse(((long)reader.Number).ToString(CultureInfo.InvariantCulture));
            case FieldType.Time or FieldType.MicroTime:
                return Time(reader.Bytes, field.Type == FieldType.MicroTime);
            default:
                var made = new JsonObject();
                Read(reader.Bytes, field.Message!, made);
                return made;
        }
    }

    private static void Entry(ReadOnlySpan<byte> entry, FieldShape field, JsonObject into)
    {
        var key = "";
        JsonNode value = "";
        var reader = new ProtobufReader(entry);
        while (reader.Next())
        {
            if (reader.Field == 1)
                key = Text(reader.Bytes);
            else if (reader.Field == 2)
                value = field.Type == FieldType.BytesMap ? Convert.ToBase64String(reader.Bytes) : Text(reader.Bytes);
        }

        if (into[field.Name] is not JsonObject map)
            into[field.Name] = map = [];
        map[key] = value;
    }

    private static JsonNode? Time(ReadOnlySpan<byte> message, bool micro)
    {
        var (seconds, nanos) = (0L, 0L);
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            if (reader.Field == 1)
                seconds = (long)reader.Number;
            else if (reader.Field == 2)
                nanos = (int)reader.Number;
        }

        // Go's zero time is long before 1970 and means that there is none; an empty message too.
        if (seconds <= 0 || seconds > 253402300799)
            return null;
        var time = DateTimeOffset.FromUnixTimeSeconds(seconds).AddTicks(Math.Clamp(nanos, 0, 999_999_999) / 100);
        return time.ToString(micro ? "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'" : "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
    }

    private static string Text(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw new FormatException("a text is not UTF-8", e);
        }
    }
}
