using System.Text.Json;
using Flotta.Yggdrasil.Transport;

namespace Flotta.Yggdrasil.Dispatch;

/// <summary>A server's answer as a worker gets it: <c>{"StatusCode": 200, "Body": …, "Metadata": {…}}</c>. No answer at all is no bytes at all.</summary>
public static class Relay
{
    public static byte[] Write(Answer answer)
    {
        if (answer.Problem is not null)
            return [];
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteNumber("StatusCode", answer.Status);
            writer.WritePropertyName("Body");
            WriteBody(writer, answer.Body);
            writer.WriteStartObject("Metadata");
            foreach (var (name, value) in answer.Headers ?? new Dictionary<string, string>(StringComparer.Ordinal))
                writer.WriteString(name, value);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }

    /// <summary>The other way round, for our worker under a stock daemon.</summary>
    public static Answer Read(ReadOnlyMemory<byte> response)
    {
        if (response.IsEmpty)
            return Answer.None("the daemon could not reach it");
        try
        {
            using var document = JsonDocument.Parse(response, new JsonDocumentOptions { MaxDepth = 70 });
            var root = document.RootElement;
            var body = root.TryGetProperty("Body", out var found) && found.ValueKind != JsonValueKind.Null ? System.Text.Encoding.UTF8.GetBytes(found.GetRawText()) : [];
            return new Answer { Status = root.GetProperty("StatusCode").GetInt32(), Body = body };
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return Answer.None("the daemon's answer cannot be read");
        }
    }

    // Go's daemon loses the whole answer when the body is not JSON; a worker is better off with the text of it.
    private static void WriteBody(Utf8JsonWriter writer, ReadOnlyMemory<byte> body)
    {
        if (body.IsEmpty)
        {
            writer.WriteNullValue();
            return;
        }

        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 64 });
            document.RootElement.WriteTo(writer);
        }
        catch (JsonException)
        {
            writer.WriteStringValue(System.Text.Encoding.UTF8.GetString(body.Span));
        }
    }
}
