namespace Flotta.Wire;

/// <summary>One line of a stream of logs, as JSON on a line of its own.</summary>
public sealed record LogRecord
{
    public string? Container { get; init; }

    public DateTimeOffset? Time { get; init; }

    public string? Line { get; init; }

    /// <summary>Instead of the others, in the last one: why the stream ends before it is through.</summary>
    public string? End { get; init; }
}
