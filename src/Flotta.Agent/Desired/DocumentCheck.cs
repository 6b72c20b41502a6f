using Flotta.Wire;

namespace Flotta.Agent.Desired;

/// <summary>Whether a configuration as a whole may be applied. One workload that cannot run is that workload's trouble, not the document's.</summary>
internal static class DocumentCheck
{
    public static string? Problem(Message message, DeviceConfigurationMessage document, string deviceId)
    {
        if (message is not { Type: MessageTypes.Data, Directive: Directives.Device })
            return "it is not a data message with the directive device";
        // An empty document would mean: run nothing. That much has to be said, not left out.
        if (document.Configuration is null || string.IsNullOrEmpty(document.Version))
            return "it has no configuration or no version";
        if (document.DeviceId is { } id && !string.Equals(id, deviceId, StringComparison.OrdinalIgnoreCase))
            return "it is for another device";
        return Names("workload", document.Workloads?.Select(workload => workload.Name))
            ?? Names("secret", document.Secrets?.Select(secret => secret.Name))
            ?? Contents(document.Workloads ?? []);
    }

    private static string? Names(string what, IEnumerable<string?>? names)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in names ?? [])
        {
            if (string.IsNullOrEmpty(name))
                return $"a {what} has no name";
            if (!seen.Add(name))
                return $"two {what}s have the same name";
        }

        return null;
    }

    private static string? Contents(IEnumerable<Workload> workloads) =>
        workloads.Any(workload => string.IsNullOrEmpty(workload.Specification) && string.IsNullOrEmpty(workload.Hold))
            ? "a workload has neither a specification nor a reason to be held"
            : null;
}
