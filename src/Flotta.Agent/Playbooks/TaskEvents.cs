using System.Globalization;
using System.Text.Json;
using Flotta.Wire;

namespace Flotta.Agent.Playbooks;

/// <summary>
/// What a run says of its tasks, line by line (flotta_events.py), kept in bounds: of a long playbook the first tasks, the last ones and the first that failed. Lines that are
/// none of ours are passed over.
/// </summary>
internal sealed class TaskEvents
{
    public const int LongestLine = 8 << 10;
    public const int MostFirst = 20;
    public const int MostLast = 20;
    private const int LongestText = 400;

    private readonly List<PlaybookTaskResult> _first = [];
    private readonly Queue<PlaybookTaskResult> _last = [];
    private int _left;
    private bool _nobody;

    /// <summary>How many tasks went well, changed something and so on; null until the end.</summary>
    public IReadOnlyDictionary<string, int>? Stats { get; private set; }

    public PlaybookTaskResult? Failed { get; private set; }

    public IReadOnlyList<PlaybookTaskResult> Tasks =>
        _left == 0
            ? [.. _first, .. _last]
            : [.. _first, new PlaybookTaskResult { Name = string.Create(CultureInfo.InvariantCulture, $"({_left} tasks in between)") }, .. _last];

    /// <summary>One sentence about the whole.</summary>
    public string Summary
    {
        get
        {
            if (_nobody && Stats is null or { Count: 0 })
                return "No host matched: a playbook for a device has hosts: 127.0.0.1, localhost or all.";
            var counts = Stats is null ? "" : string.Join(' ', Stats.Where(one => one.Value > 0).Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Key}={one.Value}")));
            if (Failed is null)
                return counts;
            var task = Failed.Message is null ? $"Task \"{Failed.Name}\" failed" : $"Task \"{Failed.Name}\" failed: {Failed.Message}";
            return counts.Length == 0 ? task : $"{task} ({counts})";
        }
    }

    public void Add(ReadOnlySpan<byte> line)
    {
        if (line.Length == 0 || line[0] != '{')
            return;
        try
        {
            var reader = new Utf8JsonReader(line);
            using var document = JsonDocument.ParseValue(ref reader);
            var root = document.RootElement;
            if (root.TryGetProperty("stats", out var stats) && stats.ValueKind == JsonValueKind.Object)
                Stats = stats.EnumerateObject().Where(one => one.Value.TryGetInt32(out _)).Take(16).ToDictionary(one => Cut(one.Name)!, one => one.Value.GetInt32(), StringComparer.Ordinal);
            else if (root.TryGetProperty("none", out _))
                _nobody = true;
            else if (Text(root, "task") is { } task && Text(root, "outcome") is { } outcome)
                Add(new PlaybookTaskResult { Name = task, Outcome = outcome, Message = Text(root, "message") });
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // A module that writes where it should not.
        }
    }

    private void Add(PlaybookTaskResult task)
    {
        if (task.Outcome is TaskOutcomes.Failed or TaskOutcomes.Unreachable)
            Failed ??= task;
        if (_first.Count < MostFirst)
        {
            _first.Add(task);
            return;
        }

        _last.Enqueue(task);
        if (_last.Count > MostLast)
        {
            _last.Dequeue();
            _left++;
        }
    }

    private static string? Text(JsonElement element, string name) => element.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String ? Cut(text.GetString()) : null;

    private static string? Cut(string? text) => string.IsNullOrEmpty(text) ? null : text.Length <= LongestText ? text : text[..LongestText];
}
