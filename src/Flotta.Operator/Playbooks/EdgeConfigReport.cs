using Flotta.Resources;

namespace Flotta.Operator.Playbooks;

/// <summary>How far a config has come: on how many devices all of its playbooks have ended, and on how many with an error.</summary>
internal static class EdgeConfigReport
{
    public static EdgeConfigStatus For(EdgeConfig config, IReadOnlyList<PlaybookExecution> executions, int labelled, DateTimeOffset now)
    {
        var devices = executions.GroupBy(playbook => playbook.Metadata.Labels?[Names.Labels.Device] ?? "", StringComparer.Ordinal).ToList();
        var all = Math.Max(devices.Count, labelled);
        var ended = devices.Count(device => device.All(playbook => playbook.HasEnded()));
        var failed = devices.Count(device => device.Any(playbook => playbook.HasFailed()));
        var complete = all > 0 && ended == all;
        var message = all == 0 ? "no device carries the label of this config" : $"{ended} of {all} devices have ended" + (failed > 0 ? $", {failed} of them with an error" : "");
        var before = config.Status?.EdgePlaybookStatus?.Conditions ?? [];
        return new()
        {
            EdgePlaybookStatus = new()
            {
                Conditions =
                [
                    Condition(before, Names.PlaybookConditions.Deploying, all > 0 && !complete, complete ? "Ended" : all > 0 ? "Running" : "NoDevices", message, now),
                    Condition(before, Names.PlaybookConditions.Completed, complete, failed > 0 ? "WithErrors" : complete ? "Succeeded" : "NotYet", message, now),
                ],
            },
        };
    }

    public static bool Same(EdgeConfigStatus? one, EdgeConfigStatus other) =>
        (one?.EdgePlaybookStatus?.Conditions ?? []).SequenceEqual(other.EdgePlaybookStatus?.Conditions ?? []);

    private static PlaybookCondition Condition(IReadOnlyList<PlaybookCondition> before, string type, bool holds, string reason, string message, DateTimeOffset now)
    {
        var status = holds ? Names.ConditionStatus.True : Names.ConditionStatus.False;
        var present = before.FirstOrDefault(condition => condition.Type == type);
        return new() { Type = type, Status = status, Reason = reason, Message = message, LastTransitionTime = present?.Status == status ? present.LastTransitionTime ?? now : now };
    }
}
