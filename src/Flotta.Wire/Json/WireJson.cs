using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;

namespace Flotta.Wire;

/// <summary>
/// Reads and writes messages. Reading is liberal about what is absent, null or unknown, and strict about what could be read in two ways:
/// duplicate keys, keys in another case, null array members, trailing bytes, invalid UTF-8 and deep nesting are a <see cref="WireFormatException"/>.
/// </summary>
public static class WireJson
{
    /// <summary>Deeper than anything that is sent (a configuration is 9 deep), shallow enough for any stack.</summary>
    public const int MaxDepth = 32;

    public static WireContext Types { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        AllowDuplicateProperties = false,
        MaxDepth = MaxDepth,
        Converters = { new WireTime() },
    });

    /// <summary>Never null: the literal <c>null</c> is the empty message that the original takes it for.</summary>
    public static T Read<T>(ReadOnlySpan<byte> utf8, JsonTypeInfo<T> type)
        where T : class, new()
    {
        if (!Utf8.IsValid(utf8))
            throw new WireFormatException("the text is not valid UTF-8");
        try
        {
            StrictKeys.Check(utf8, type);
            return JsonSerializer.Deserialize(utf8, type) ?? new T();
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException)
        {
            throw new WireFormatException(Describe(exception), exception);
        }
    }

    /// <summary>Reads a message's content; absent or null is the empty record, as the original reads it.</summary>
    public static T ReadContent<T>(JsonElement? content, JsonTypeInfo<T> type)
        where T : class, new() =>
        content is { ValueKind: not JsonValueKind.Undefined } element ? Read(JsonMarshal.GetRawUtf8Value(element), type) : new T();

    public static byte[] Write<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(value, type);

    public static JsonElement ToElement<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.SerializeToElement(value, type);

    private static string Describe(Exception exception) =>
        exception is JsonException { Path: { Length: > 1 } path } ? $"{path} cannot be read" : "the text is not the JSON that was expected";
}
