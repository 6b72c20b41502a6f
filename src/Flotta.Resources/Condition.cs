using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Flotta.Resources;

/// <summary>A condition in the shape of metav1.Condition.</summary>
public sealed record Condition
{
    [JsonPropertyName("type"), Required]
    public string Type { get; init => field = value ?? ""; } = "";

    [JsonPropertyName("status"), Required, AllowedValues("True", "False", "Unknown")]
    public string Status { get; init => field = value ?? Names.ConditionStatus.Unknown; } = Names.ConditionStatus.Unknown;

    [JsonPropertyName("reason"), Description("One word in CamelCase that a program can rely on.")]
    public string? Reason { get; init; }

    [JsonPropertyName("message"), Description("One sentence for a person.")]
    public string? Message { get; init; }

    [JsonPropertyName("lastTransitionTime"), JsonConverter(typeof(InstantConverter)), Description("When the status last changed.")]
    public DateTimeOffset? LastTransitionTime { get; init; }

    [JsonPropertyName("observedGeneration"), Description("The metadata.generation that this condition speaks of.")]
    public long? ObservedGeneration { get; init; }
}

public static class Conditions
{
    public static Condition? Find(IReadOnlyList<Condition>? conditions, string type) =>
        conditions?.FirstOrDefault(condition => string.Equals(condition.Type, type, StringComparison.Ordinal));

    /// <summary>Sets one condition by its type and leaves the others in their order. The transition time moves only when the status does.</summary>
    public static IReadOnlyList<Condition> Upsert(IReadOnlyList<Condition>? conditions, Condition condition, DateTimeOffset now)
    {
        var before = Find(conditions, condition.Type);
        var same = before is not null && string.Equals(before.Status, condition.Status, StringComparison.Ordinal);
        var after = condition with { LastTransitionTime = same ? before!.LastTransitionTime ?? now : now };
        if (before is null) return [.. conditions ?? [], after];
        return before == after ? conditions! : [.. conditions!.Select(other => ReferenceEquals(other, before) ? after : other)];
    }
}
