using System.Text.Json;
using System.Text.Json.Serialization;

namespace Flotta.Resources;

/// <summary>
/// A pod's specification, kept as it was written: nothing that a newer Kubernetes adds is lost on its way to the device.
/// The properties are views of the parts that the control plane itself looks at, and read what they do not understand as absent.
/// </summary>
[JsonConverter(typeof(PodSpecConverter))]
public sealed class PodSpec : IEquatable<PodSpec>
{
    public static readonly PodSpec Empty = Parse("{}");

    public PodSpec(JsonElement json)
    {
        // A clone owns its bytes: the element outlives the document it came from, and any thread may read it.
        Json = json.ValueKind == JsonValueKind.Object ? json.Clone() : throw new JsonException("A pod's specification is an object.");
        InitContainers = [.. Json.Objects("initContainers").Select(PodContainer.From)];
        Containers = [.. Json.Objects("containers").Select(PodContainer.From)];
        Volumes = [.. Json.Objects("volumes").Select(PodVolume.From)];
    }

    public JsonElement Json { get; }

    public IReadOnlyList<PodContainer> InitContainers { get; }

    public IReadOnlyList<PodContainer> Containers { get; }

    /// <summary>Init containers first, as Kubernetes starts them.</summary>
    public IEnumerable<PodContainer> AllContainers => InitContainers.Concat(Containers);

    public IReadOnlyList<PodVolume> Volumes { get; }

    public bool HostNetwork => Json.Flag("hostNetwork") ?? false;

    public string? RestartPolicy => Json.Text("restartPolicy");

    public static PodSpec Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return new PodSpec(document.RootElement);
    }

    public bool Equals(PodSpec? other) => other is not null && JsonElement.DeepEquals(Json, other.Json);

    public override bool Equals(object? obj) => Equals(obj as PodSpec);

    public override int GetHashCode() => Containers.Count;

    public override string ToString() => Json.GetRawText();
}

public sealed class PodSpecConverter : JsonConverter<PodSpec>
{
    public override PodSpec Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        return new PodSpec(document.RootElement);
    }

    public override void Write(Utf8JsonWriter writer, PodSpec value, JsonSerializerOptions options) => value.Json.WriteTo(writer);
}
