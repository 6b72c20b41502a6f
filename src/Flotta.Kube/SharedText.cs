using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Flotta.Kube;

/// <summary>
/// Reads short strings of which there is one already as that one: keys of labels, types and reasons of conditions, namespaces and versions are the same in every one of
/// a hundred thousand devices, and caches would hold them as often. What is remembered is bounded: of two strings with the same place the later one stays.
/// </summary>
internal sealed class SharedText : JsonConverter<string>
{
    private const int Longest = 64;

    private static readonly string?[] Places = new string?[1 << 13];

    public override bool HandleNull => false;

    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Read(ref reader);

    public override string ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Read(ref reader)!;

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(value);

    public override void WriteAsPropertyName(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WritePropertyName(value);

    private static string? Read(ref Utf8JsonReader reader)
    {
        if (reader.HasValueSequence || reader.ValueIsEscaped || reader.ValueSpan.Length > Longest)
            return reader.GetString();
        var hash = new HashCode();
        hash.AddBytes(reader.ValueSpan);
        // Written and read by several threads at once; the worst that can happen is one copy more.
        ref var place = ref Places[hash.ToHashCode() & (Places.Length - 1)];
        if (Volatile.Read(ref place) is { } known && Ascii.Equals(reader.ValueSpan, known))
            return known;
        var read = reader.GetString();
        Volatile.Write(ref place, read);
        return read;
    }
}
