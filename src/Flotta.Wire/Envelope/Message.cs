using System.Text.Json;

namespace Flotta.Wire;

/// <summary>The envelope of both POSTs and of both GETs' answers. What <see cref="Content"/> holds depends on type and directive.</summary>
public sealed record Message
{
    /// <summary>One of <see cref="MessageTypes"/>; the original accepts an absent one.</summary>
    public string? Type { get; init; }

    public string? MessageId { get; init; }

    public string? ResponseTo { get; init; }

    public long? Version { get; init; }

    public DateTimeOffset? Sent { get; init; }

    /// <summary>One of <see cref="Directives"/>, on data messages only.</summary>
    public string? Directive { get; init; }

    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    public JsonElement? Content { get; init; }

    public static Message Data(string directive, JsonElement? content, DateTimeOffset sent) =>
        new()
        {
            Type = MessageTypes.Data,
            MessageId = Guid.NewGuid().ToString(),
            Version = 1,
            Sent = sent,
            Directive = directive,
            Content = content,
        };

    public static Message Command(Command command, DateTimeOffset sent) =>
        new()
        {
            Type = MessageTypes.Command,
            MessageId = Guid.NewGuid().ToString(),
            Version = 1,
            Sent = sent,
            Content = WireJson.ToElement(command, WireJson.Types.Command),
        };

    public static Message Event(string word, string? responseTo, DateTimeOffset sent) =>
        new()
        {
            Type = MessageTypes.Event,
            MessageId = Guid.NewGuid().ToString(),
            ResponseTo = responseTo,
            Version = 1,
            Sent = sent,
            Content = WireJson.ToElement(word, WireJson.Types.String),
        };

    public static Message Status(ConnectionStatus status, DateTimeOffset sent) =>
        new()
        {
            Type = MessageTypes.ConnectionStatus,
            MessageId = Guid.NewGuid().ToString(),
            Version = 1,
            Sent = sent,
            Content = WireJson.ToElement(status, WireJson.Types.ConnectionStatus),
        };

    // Contents carry secrets: a message prints as what it is, not what it holds.
    public override string ToString() => $"{Type} {Directive} {MessageId}";
}
