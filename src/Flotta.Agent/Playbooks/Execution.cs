using System.Text.Json.Serialization;
using Flotta.Wire;

namespace Flotta.Agent.Playbooks;

internal enum ExecutionState
{
    Waiting,
    Running,
    Succeeded,
    Failed,
}

/// <summary>One playbook that was given to this device and how far it is: what is on disk before anything of it happens.</summary>
internal sealed record Execution
{
    /// <summary>Which one it is: two of the same name are not the same.</summary>
    public string Key { get; init => field = value ?? ""; } = "";

    public string Name { get; init => field = value ?? ""; } = "";

    public string? Uid { get; init; }

    /// <summary>Those of one config run one after the other.</summary>
    public string Config { get; init => field = value ?? ""; } = "";

    public int Index { get; init; }

    public PlaybookOptions Options { get; init => field = value ?? new PlaybookOptions(); } = new();

    [JsonConverter(typeof(JsonStringEnumConverter<ExecutionState>))]
    public ExecutionState State { get; init; }

    public int Attempts { get; init; }

    /// <summary>Not before then, after an attempt that failed.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    public string? Reason { get; init; }

    public string? Message { get; init; }

    /// <summary>Of the last attempt.</summary>
    public IReadOnlyList<PlaybookTaskResult>? Tasks { get; init; }

    /// <summary>What every process of the present attempt has in its environment, and its folder in its name.</summary>
    public string? Mark { get; init; }

    /// <summary>The server wants it: false once it is done there, or nobody wants it any more.</summary>
    public bool Listed { get; init; } = true;

    /// <summary>The server has heard how it ended.</summary>
    public bool Told { get; init; }

    [JsonIgnore]
    public bool HasEnded => State is ExecutionState.Succeeded or ExecutionState.Failed;

    [JsonIgnore]
    public string Strategy => Options.ExecutionStrategy ?? PlaybookStrategies.ExecuteOnce;

    // A playbook may hold anything: what prints an execution prints its name.
    public override string ToString() => $"{Name} {State}";
}

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(List<Execution>))]
internal sealed partial class ExecutionJson : JsonSerializerContext;
