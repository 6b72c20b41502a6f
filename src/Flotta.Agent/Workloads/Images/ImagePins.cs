using System.Text.Json;
using System.Text.Json.Serialization;
using Flotta.Wire;

namespace Flotta.Agent.Workloads;

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class ImagePinsJson : JsonSerializerContext;

/// <summary>Where an image that its registry may exchange comes from.</summary>
internal enum UpdateSource
{
    None,

    /// <summary>Whatever somebody put on the device under that name.</summary>
    Local,

    Registry,
}

/// <summary>
/// The label <c>io.containers.autoupdate</c>: the image behind a name may change, and a workload follows it. Which image exactly it follows is written
/// down as the image's id, so that each exchange is a version of its own, on trial like any other, and the one before can be had back.
/// </summary>
internal static class ImagePins
{
    private const string Label = "io.containers.autoupdate";
    private const int MaxBytes = 64 << 10;

    public static UpdateSource SourceOf(Workload workload) =>
        (Value(workload.Labels) ?? Value(workload.Annotations)) switch
        {
            "registry" or "image" => UpdateSource.Registry,
            "local" => UpdateSource.Local,
            _ => UpdateSource.None,
        };

    // podman knows the label also for one container: io.containers.autoupdate/NAME.
    public static bool IsLabel(string key) => key == Label || key.StartsWith(Label + "/", StringComparison.Ordinal);

    /// <summary>Image ids by the names that the workload knows them by; none where nothing was exchanged yet.</summary>
    public static IReadOnlyDictionary<string, string> Read(string path)
    {
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: < MaxBytes } && JsonSerializer.Deserialize(File.ReadAllBytes(path), ImagePinsJson.Default.DictionaryStringString) is { } pins)
                return pins.Where(pin => pin.Value is { Length: 64 } && pin.Value.All(char.IsAsciiHexDigitLower)).ToDictionary(StringComparer.Ordinal);
        }
        catch (Exception exception) when (exception is IOException or JsonException or UnauthorizedAccessException)
        {
            // A damaged record is as good as none: the names themselves are followed.
        }
        return new Dictionary<string, string>(StringComparer.Ordinal);
    }

    public static Task WriteAsync(string path, Dictionary<string, string> pins) => Records.WriteAsync(path, pins, ImagePinsJson.Default.DictionaryStringString, CancellationToken.None);

    private static string? Value(IReadOnlyDictionary<string, string>? labels) =>
        labels?.Where(label => IsLabel(label.Key)).Select(label => label.Value).FirstOrDefault();
}
