using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flotta.Wire;

namespace Flotta.Agent.Desired;

/// <summary>The form of desired.json: the document as it came (with what held workloads keep), its tag, and a checksum over both.</summary>
internal static class DesiredFile
{
    public static byte[] Write(ReadOnlySpan<byte> document, string? tag)
    {
        var buffer = new ArrayBufferWriter<byte>(document.Length + 256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("sha256", Checksum(document, tag));
            if (tag is not null)
                writer.WriteString("tag", tag);
            writer.WritePropertyName("document");
            writer.WriteRawValue(document);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Null with the reason when the bytes are not what was once written.</summary>
    public static StoredDesired? Read(ReadOnlyMemory<byte> bytes, out string problem)
    {
        try
        {
            using var file = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = WireJson.MaxDepth + 1 });
            var tag = file.RootElement.TryGetProperty("tag", out var found) ? found.GetString() : null;
            var document = JsonMarshal.GetRawUtf8Value(file.RootElement.GetProperty("document"));
            if (!string.Equals(file.RootElement.GetProperty("sha256").GetString(), Checksum(document, tag), StringComparison.Ordinal))
            {
                problem = "its checksum is wrong";
                return null;
            }

            problem = "";
            return new StoredDesired(WireJson.Read(document, WireJson.Types.DeviceConfigurationMessage), tag);
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or WireFormatException)
        {
            problem = "it is not what this agent writes";
            return null;
        }
    }

    private static string Checksum(ReadOnlySpan<byte> document, string? tag)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes((tag ?? "") + "\n"));
        hash.AppendData(document);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
