namespace Flotta.Wire;

/// <summary>Content of a command message: one of <see cref="Commands"/>; reconnect has the argument <c>delay</c> in seconds.</summary>
public sealed record Command
{
    [System.Text.Json.Serialization.JsonPropertyName("command")]
    public string? Name { get; init; }

    public IReadOnlyDictionary<string, string>? Arguments { get; init; }
}
