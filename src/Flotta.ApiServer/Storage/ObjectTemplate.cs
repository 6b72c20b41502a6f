using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Storage;

/// <summary>
/// An object's bytes with a gap where its resourceVersion goes: requests serialise in parallel, and the one writer, who alone knows the revision, only fills the gap.
/// </summary>
internal sealed class ObjectTemplate
{
    // Not guessable, so that no value in an object can be taken for the gap.
    private static readonly string Marker = "revision-" + Guid.NewGuid().ToString("N");
    private static readonly byte[] MarkerBytes = Encoding.UTF8.GetBytes(Marker);
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly byte[] bytes;
    private readonly int gap;

    private ObjectTemplate(byte[] bytes, int gap)
    {
        this.bytes = bytes;
        this.gap = gap;
    }

    public int Length => bytes.Length;

    /// <summary>apiVersion, kind and metadata come first, so that who looks for labels need not read the rest. The object's resourceVersion is lost.</summary>
    public static ObjectTemplate From(JsonObject value)
    {
        var metadata = (JsonObject)value["metadata"]!;
        metadata["resourceVersion"] = Marker;
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            writer.WriteStartObject();
            foreach (var name in (ReadOnlySpan<string>)["apiVersion", "kind", "metadata"])
            {
                writer.WritePropertyName(name);
                Write(writer, value[name]);
            }

            foreach (var (name, member) in value)
            {
                if (name is "apiVersion" or "kind" or "metadata")
                    continue;
                writer.WritePropertyName(name);
                Write(writer, member);
            }

            writer.WriteEndObject();
        }

        metadata.Remove("resourceVersion");
        var all = buffer.WrittenSpan;
        return new ObjectTemplate(all.ToArray(), all.IndexOf(MarkerBytes));
    }

    public byte[] At(long revision)
    {
        Span<byte> digits = stackalloc byte[20];
        revision.TryFormat(digits, out var count, provider: CultureInfo.InvariantCulture);
        var result = new byte[bytes.Length - MarkerBytes.Length + count];
        bytes.AsSpan(0, gap).CopyTo(result);
        digits[..count].CopyTo(result.AsSpan(gap));
        bytes.AsSpan(gap + MarkerBytes.Length).CopyTo(result.AsSpan(gap + count));
        return result;
    }

    private static void Write(Utf8JsonWriter writer, JsonNode? node)
    {
        if (node is null)
            writer.WriteNullValue();
        else
            node.WriteTo(writer);
    }
}
