namespace Flotta.Wire;

public static class MessageTypes
{
    public const string ConnectionStatus = "connection-status";
    public const string Command = "command";
    public const string Event = "event";
    public const string Data = "data";

    public static bool IsKnown(string type) => type is ConnectionStatus or Command or Event or Data;
}

public static class Directives
{
    public const string Enrolment = "enrolment";
    public const string Registration = "registration";
    public const string Heartbeat = "heartbeat";
    public const string Ansible = "ansible";

    /// <summary>Server to device: the content is a <see cref="DeviceConfigurationMessage"/>.</summary>
    public const string Device = "device";
}

public static class Commands
{
    public const string Ping = "ping";
    public const string Disconnect = "disconnect";
    public const string Reconnect = "reconnect";
    public const string Cancel = "cancel";

    /// <summary>Ours, and only to who asks for commands where configurations come: send the lines of a workload. Its arguments are <see cref="LogArguments"/>.</summary>
    public const string Logs = "logs";

    /// <summary>The event that answers a ping.</summary>
    public const string Pong = "pong";
}

public static class HeartbeatStatuses
{
    public const string Up = "up";
    public const string Degraded = "degraded";
}

public static class EventTypes
{
    public const string Info = "info";
    public const string Warn = "warn";
}

public static class PlaybookStatuses
{
    public const string Deploying = "Deploying";
    public const string Running = "Running";
    public const string Succeeded = "SuccessfullyCompleted";
    public const string Failed = "CompletedWithError";
}

public static class PlaybookStrategies
{
    public const string ExecuteOnce = "ExecuteOnce";
    public const string StopOnFailure = "StopOnFailure";
    public const string RetryOnFailure = "RetryOnFailure";
}

/// <summary>Ours.</summary>
public static class TaskOutcomes
{
    public const string Ok = "ok";
    public const string Changed = "changed";
    public const string Skipped = "skipped";
    public const string Failed = "failed";
    public const string Ignored = "ignored";
    public const string Unreachable = "unreachable";
}

public static class HardwareScopes
{
    public const string Full = "full";
    public const string Delta = "delta";
}
