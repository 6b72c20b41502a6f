namespace Flotta.Agent.Playbooks;

/// <summary>Why an execution is as it is, in the one word that a condition has for it.</summary>
internal static class Reasons
{
    public const string AnsibleMissing = "AnsibleMissing";
    public const string WaitsForEarlier = "WaitsForEarlier";
    public const string BackOff = "BackOff";
    public const string TasksFailed = "TasksFailed";
    public const string PlaybookInvalid = "PlaybookInvalid";
    public const string TimedOut = "TimedOut";
    public const string Interrupted = "Interrupted";
    public const string CannotStart = "CannotStart";
    public const string EarlierFailed = "EarlierFailed";
    public const string ContentLost = "ContentLost";
}
