using System.Buffers;
using System.Text.Json;
using Flotta.Resources;
using k8s.Models;

namespace Flotta.EdgeApi.Configuration;

/// <summary>The YAML documents inside a configuration.</summary>
internal static class PodYaml
{
    /// <summary>A PodSpec as the original renders it: every container has <c>resources</c>, and what is empty is left out.</summary>
    public static string Of(PodSpec pod) => Render(writer => Pod(writer, pod.Json));

    /// <summary>A ConfigMap reduced to what a pod can use of it.</summary>
    public static string Of(V1ConfigMap map) => Render(writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("apiVersion", "v1");
        writer.WriteString("kind", "ConfigMap");
        if (map.BinaryData is { Count: > 0 } binary)
        {
            writer.WriteStartObject("binaryData");
            foreach (var (key, value) in binary)
                writer.WriteBase64String(key, value);
            writer.WriteEndObject();
        }

        if (map.Data is { Count: > 0 } data)
        {
            writer.WriteStartObject("data");
            foreach (var (key, value) in data)
                writer.WriteString(key, value);
            writer.WriteEndObject();
        }

        writer.WriteStartObject("metadata");
        writer.WriteNull("creationTimestamp");
        writer.WriteString("name", map.Metadata.Name);
        writer.WriteEndObject();
        writer.WriteEndObject();
    });

    private static string Render(Action<Utf8JsonWriter> write)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(bytes))
            write(writer);
        using var document = JsonDocument.Parse(bytes.WrittenMemory);
        return GoYaml.Write(document.RootElement);
    }

    private static void Pod(Utf8JsonWriter writer, JsonElement pod)
    {
        writer.WriteStartObject();
        foreach (var member in pod.EnumerateObject())
        {
            if (IsNothing(member.Value))
                continue;
            writer.WritePropertyName(member.Name);
            if (member.Name is "containers" or "initContainers" or "ephemeralContainers" && member.Value.ValueKind == JsonValueKind.Array)
                Containers(writer, member.Value);
            else
                Copy(writer, member.Value);
        }

        writer.WriteEndObject();
    }

    private static void Containers(Utf8JsonWriter writer, JsonElement containers)
    {
        writer.WriteStartArray();
        foreach (var container in containers.EnumerateArray())
        {
            if (container.ValueKind != JsonValueKind.Object)
                continue;
            writer.WriteStartObject();
            var hasResources = false;
            foreach (var member in container.EnumerateObject())
            {
                if (IsNothing(member.Value))
                    continue;
                hasResources |= member.NameEquals("resources");
                writer.WritePropertyName(member.Name);
                Copy(writer, member.Value);
            }

            if (!hasResources)
            {
                writer.WriteStartObject("resources");
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void Copy(Utf8JsonWriter writer, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var member in value.EnumerateObject())
                {
                    if (IsNothing(member.Value))
                        continue;
                    writer.WritePropertyName(member.Name);
                    Copy(writer, member.Value);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in value.EnumerateArray())
                    Copy(writer, item);
                writer.WriteEndArray();
                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }

    // An empty object may mean something (emptyDir: {}); an empty list never does.
    private static bool IsNothing(JsonElement value) => value.ValueKind == JsonValueKind.Null || (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0);
}
