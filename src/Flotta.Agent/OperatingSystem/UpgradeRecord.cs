using System.Text.Json;
using System.Text.Json.Serialization;
using Flotta.Agent.Files;

namespace Flotta.Agent.OperatingSystem;

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(UpgradeRecord))]
internal sealed partial class UpgradeJson : JsonSerializerContext;

/// <summary>What has to be known after a reboot. On disk before anything is done that it speaks of.</summary>
internal sealed record UpgradeRecord
{
    public static readonly UpgradeRecord None = new();

    public Stage Stage { get; init; }

    /// <summary>What is wanted.</summary>
    public string? Commit { get; init; }

    /// <summary>What ran before.</summary>
    public string? From { get; init; }

    /// <summary>The boot in which the reboot was asked for, or the one that is being verified.</summary>
    public string? BootId { get; init; }

    /// <summary>How often a reboot was asked for, or the machine booted, in this stage.</summary>
    public int Attempts { get; init; }

    /// <summary>Why it is taken back.</summary>
    public string? Reason { get; init; }

    /// <summary>A commit that did not prove itself, and is not tried again until another one is asked for.</summary>
    public string? Failed { get; init; }

    /// <summary>How the last one ended: <c>succeeded</c> or <c>failed</c>.</summary>
    public string? LastStatus { get; init; }

    public DateTimeOffset? LastTime { get; init; }

    /// <summary>A damaged record is none: whatever was under way is then judged by what the machine runs.</summary>
    public static UpgradeRecord Load(string path)
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), UpgradeJson.Default.UpgradeRecord) ?? None : None;
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            return None;
        }
    }

    public void Save(string path) => DurableFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(this, UpgradeJson.Default.UpgradeRecord));
}
