namespace Flotta.Agent.Workloads;

/// <summary>How the steps for one workload ended.</summary>
/// <param name="Reason">Null: all done.</param>
/// <param name="TakenBack">The previous version runs again.</param>
internal sealed record Outcome(string? Reason = null, string? Message = null, bool TakenBack = false)
{
    public bool ImageLost { get; init; }

    public static Outcome Done { get; } = new();
}

/// <summary>A step that failed, with the reason that people shall read.</summary>
internal sealed class StepFailedException(string reason, string message, Exception? inner = null) : Exception(message, inner)
{
    public string Reason { get; } = reason;

    public bool TakenBack { get; init; }

    /// <summary>An image that was to be on the device is not: what is behind its name will have to do.</summary>
    public bool ImageLost { get; init; }

    public static StepFailedException From(string reason, PodmanException exception) =>
        exception.Unreachable && !exception.TimedOut
            ? new(Reasons.PodmanUnavailable, exception.Message, exception)
            : new(IsPortInUse(exception.Message) ? Reasons.PortInUse : reason, exception.Message, exception);

    // "listen tcp4 :8080: bind: address already in use"; rootless: "rootlessport listen tcp 0.0.0.0:8080: bind: address already in use"; port reserved by another container of podman: "port is already allocated".
    private static bool IsPortInUse(string message) =>
        message.Contains("address already in use", StringComparison.OrdinalIgnoreCase) || message.Contains("port is already allocated", StringComparison.OrdinalIgnoreCase);
}
