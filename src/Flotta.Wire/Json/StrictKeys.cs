using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Flotta.Wire;

/// <summary>
/// One pass over a document before it is read: a key that is one of ours but for its case, or a null among the members of a list or map,
/// would otherwise be ignored or surface far away as a null reference.
/// </summary>
internal static class StrictKeys
{
    private static readonly ConcurrentDictionary<Type, Dictionary<string, JsonTypeInfo>> Known = new();

    public static void Check(ReadOnlySpan<byte> utf8, JsonTypeInfo type)
    {
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = WireJson.MaxDepth });
        reader.Read();
        Value(ref reader, type);
    }

    private static void Value(ref Utf8JsonReader reader, JsonTypeInfo? type)
    {
        if (reader.TokenType == JsonTokenType.StartObject)
            Object(ref reader, type);
        else if (reader.TokenType == JsonTokenType.StartArray)
            Array(ref reader, type);
    }

    private static void Array(ref Utf8JsonReader reader, JsonTypeInfo? type)
    {
        var element = type?.Kind == JsonTypeInfoKind.Enumerable ? Of(type.ElementType!) : type?.Type == typeof(JsonElement) ? type : null;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType == JsonTokenType.Null)
                throw new WireFormatException("a list has a null member");
            Value(ref reader, element);
        }
    }

    private static void Object(ref Utf8JsonReader reader, JsonTypeInfo? type)
    {
        if (type?.Type == typeof(JsonElement))
        {
            // Kept as it is, and the serializer looks for duplicates in it.
            Element(ref reader, type);
            return;
        }

        var known = type?.Kind == JsonTypeInfoKind.Object ? KeysOf(type) : null;
        var element = type?.Kind == JsonTypeInfoKind.Dictionary ? Of(type.ElementType!) : null;
        HashSet<string>? strangers = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var member = known is null ? element : Member(ref reader, known);
            // The serializer looks for duplicates only among the members that it reads.
            if (member is null && !(strangers ??= new(StringComparer.Ordinal)).Add(reader.GetString()!))
                throw new WireFormatException("an object has a duplicate key");
            reader.Read();
            if (reader.TokenType == JsonTokenType.Null && element is not null)
                throw new WireFormatException("a map has a null value");
            Value(ref reader, member);
        }
    }

    private static void Element(ref Utf8JsonReader reader, JsonTypeInfo type)
    {
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
            Value(ref reader, type);
    }

    private static JsonTypeInfo? Member(ref Utf8JsonReader reader, Dictionary<string, JsonTypeInfo> known)
    {
        // Longer than any key of ours: unknown, whatever it says.
        if (reader.ValueSpan.Length > 256)
            return null;
        Span<char> buffer = stackalloc char[256];
        var key = buffer[..reader.CopyString(buffer)];
        if (!known.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(key, out var name, out var type))
            return null;
        return key.SequenceEqual(name) ? type : throw new WireFormatException($"the key {name} is written in another case");
    }

    private static Dictionary<string, JsonTypeInfo> KeysOf(JsonTypeInfo type) =>
        Known.GetOrAdd(
            type.Type,
            static (_, info) => info.Properties.ToDictionary(property => property.Name, property => Of(property.PropertyType), StringComparer.OrdinalIgnoreCase),
            type);

    private static JsonTypeInfo Of(Type type) =>
        WireJson.Types.GetTypeInfo(type) ?? throw new InvalidOperationException($"{type} has no JSON metadata.");
}
