using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Flotta.Agent.Files;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Outbox;

/// <summary>What is waiting, oldest first.</summary>
/// <param name="Last">Of these; to give to <see cref="DurableQueue{T}.Done"/> when the server has taken them.</param>
/// <param name="HasMore">Others wait behind these.</param>
/// <param name="Dropped">How many of before had to be dropped, and were not told of yet.</param>
internal sealed record Waiting<T>(IReadOnlyList<T> Entries, long Last, int Dropped, DateTimeOffset? DroppedSince, bool HasMore);

/// <summary>
/// What may not be lost: on disk, in one file replaced whole, from the moment it happened until the server has answered. Bounded in number and
/// in bytes; when the bound forces the oldest out, that is counted, kept and told. A damaged file loses what it held and nothing else.
/// </summary>
internal sealed partial class DurableQueue<T>
    where T : class
{
    private readonly string? _path;
    private readonly JsonTypeInfo<T> _type;
    private readonly int _most;
    private readonly int _mostBytes;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly LinkedList<(long Number, T Entry, int Bytes)> _entries = [];
    private long _next = 1;
    private int _bytes;
    private int _dropped;
    private DateTimeOffset? _droppedSince;

    /// <param name="path">Null: only in memory.</param>
    public DurableQueue(string? path, JsonTypeInfo<T> type, ILogger logger, TimeProvider time, int most = 200, int mostBytes = 256 << 10)
    {
        (_path, _type, _logger, _time, _most, _mostBytes) = (path, type, logger, time, most, mostBytes);
        if (path is not null && File.Exists(path))
            Load(path);
    }

    public void Add(T entry)
    {
        lock (_lock)
        {
            Append(entry);
            Save();
        }
    }

    /// <summary>The oldest; they stay until <see cref="Done"/>.</summary>
    public Waiting<T> Peek(int most = int.MaxValue)
    {
        lock (_lock)
        {
            var taken = _entries.Take(most).ToList();
            return new Waiting<T>([.. taken.Select(one => one.Entry)], taken is [.., var last] ? last.Number : _next - 1, _dropped, _droppedSince, taken.Count < _entries.Count);
        }
    }

    /// <summary>The server has taken it, and heard of what was dropped before.</summary>
    public void Done(Waiting<T> told)
    {
        lock (_lock)
        {
            if (told.Entries.Count == 0 && told.Dropped == 0)
                return;
            while (_entries.First is { Value: var first } && first.Number <= told.Last)
                Remove(first.Bytes);
            // Those that were dropped meanwhile are told next time.
            _dropped -= told.Dropped;
            if (_dropped <= 0)
                (_dropped, _droppedSince) = (0, null);
            Save();
        }
    }

    private void Append(T entry)
    {
        var size = JsonSerializer.SerializeToUtf8Bytes(entry, _type).Length;
        _entries.AddLast((_next++, entry, size));
        _bytes += size;
        while (_entries.Count > _most || (_bytes > _mostBytes && _entries.Count > 1))
        {
            Remove(_entries.First!.Value.Bytes);
            _dropped++;
            _droppedSince ??= _time.GetUtcNow();
        }
    }

    private void Remove(int bytes)
    {
        _entries.RemoveFirst();
        _bytes -= bytes;
    }

    private void Save()
    {
        if (_path is null)
            return;
        try
        {
            if (_entries.Count == 0 && _dropped == 0)
                DurableFile.Delete(_path);
            else
                DurableFile.Write(_path, Write());
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A full disk: it is told all the same, unless the agent is stopped before.
            LogNotKept(_logger, _path, exception.Message);
        }
    }

    private byte[] Write()
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteNumber("dropped", _dropped);
            if (_droppedSince is { } since)
                writer.WriteString("since", since);
            writer.WriteStartArray("entries");
            foreach (var (_, entry, _) in _entries)
                JsonSerializer.Serialize(writer, entry, _type);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private void Load(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            _dropped = document.RootElement.GetProperty("dropped").GetInt32();
            _droppedSince = document.RootElement.TryGetProperty("since", out var since) ? since.GetDateTimeOffset() : null;
            foreach (var element in document.RootElement.GetProperty("entries").EnumerateArray())
            {
                if (element.Deserialize(_type) is { } entry)
                    Append(entry);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            _dropped++;
            _droppedSince ??= _time.GetUtcNow();
            LogDamaged(_logger, path, exception.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "what waits for the server cannot be kept in {Path}: {Problem}")]
    private static partial void LogNotKept(ILogger logger, string path, string problem);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Path} is damaged; what waited there for the server is lost: {Problem}")]
    private static partial void LogDamaged(ILogger logger, string path, string problem);
}
