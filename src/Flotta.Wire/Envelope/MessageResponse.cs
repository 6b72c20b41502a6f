using System.Text.Json;

namespace Flotta.Wire;

/// <summary>What a 200 to POST data/out may carry (registration, ansible).</summary>
public sealed record MessageResponse
{
    public string? MessageId { get; init; }

    public string? Directive { get; init; }

    public JsonElement? Content { get; init; }

    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    public override string ToString() => $"response {Directive} {MessageId}";
}
