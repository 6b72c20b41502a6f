namespace Flotta.Resources.Validation;

public static class PlaybookValidation
{
    /// <summary>CAP_AUDIT_READ; what a device does not know it cannot grant.</summary>
    private const int LastCapability = 37;

    /// <summary>Everything that is wrong with a configuration, each in a sentence.</summary>
    public static IReadOnlyList<string> Errors(EdgeConfig config) => config.Spec.EdgePlaybook is not { } wanted
        ? ["spec.edgePlaybook is missing"]
        : wanted.Playbooks is not { Count: > 0 } playbooks
            ? ["spec.edgePlaybook.playbooks is empty"]
            : [.. playbooks.SelectMany((playbook, index) => Errors(playbook, $"spec.edgePlaybook.playbooks[{index}]"))];

    public static IReadOnlyList<string> Errors(PlaybookExecution execution) => execution.Spec.Playbook is { } playbook ? [.. Errors(playbook, "spec.playbook")] : ["spec.playbook is missing"];

    private static IEnumerable<string> Errors(Playbook playbook, string path)
    {
        if (playbook.Content.Length == 0) yield return $"{path}.content is empty";
        if (playbook.TimeoutSeconds < 0) yield return $"{path}.timeoutSeconds is negative";
        var capabilities = (playbook.RequiredPrivilegeLevel?.CapAdd ?? []).Concat(playbook.RequiredPrivilegeLevel?.CapDrop ?? []);
        foreach (var unknown in capabilities.Where(capability => capability is < 0 or > LastCapability).Distinct())
            yield return $"{path}.requiredPrivilegeLevel names the capability {unknown}, and there are those from 0 to {LastCapability}";
    }
}
