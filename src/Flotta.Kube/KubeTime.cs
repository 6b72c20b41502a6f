using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Flotta.Kube;

/// <summary>A time as Kubernetes writes it (RFC 3339 with zero to nine digits of a second) and as it takes all of its times: with six.</summary>
internal sealed class KubeTime : JsonConverter<DateTime>
{
    private const string Micro = "yyyy'-'MM'-'dd'T'HH':'mm':'ss.ffffffK";

    public override DateTime Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var text = reader.GetString();
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time.UtcDateTime
            : throw new JsonException($"'{text}' is no time (RFC 3339)");
    }

    public override void Write(Utf8JsonWriter writer, DateTime value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToUniversalTime().ToString(Micro, CultureInfo.InvariantCulture));
}
