using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Flotta.Agent.Workloads;

/// <summary>The manifest that ran last, to put back when an update does not run.</summary>
internal sealed record LastGood(string Hash, string Document, string? Network, IReadOnlyList<string> Volumes)
{
    /// <summary>Absent in records of agents that knew none.</summary>
    public IReadOnlyList<MemoryVolume>? InMemory { get; init; }

    /// <summary>What the images are called that the document names by id. Absent in records of agents that named them by that.</summary>
    public IReadOnlyList<string>? Images { get; init; }

    public override string ToString() => $"last good {Hash}";
}

/// <summary>An update that did not run and was taken back.</summary>
internal sealed record FailedUpdate(string Fingerprint, int Failures, string Reason, string Message);

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(LastGood))]
[JsonSerializable(typeof(FailedUpdate))]
internal sealed partial class RecordsJson : JsonSerializerContext;

/// <summary>Small records beside a workload's files. A damaged one is as good as none.</summary>
internal static class Records
{
    private const int MaxBytes = 4 << 20;

    public static async Task<T?> ReadAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return new FileInfo(path) is { Exists: true, Length: < MaxBytes }
                ? JsonSerializer.Deserialize(await File.ReadAllBytesAsync(path, cancellationToken), type)
                : null;
        }
        catch (Exception exception) when (exception is IOException or JsonException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public static Task WriteAsync<T>(string path, T record, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return PrivateFile.WriteAsync(path, JsonSerializer.SerializeToUtf8Bytes(record, type), owner: null, cancellationToken);
    }
}
