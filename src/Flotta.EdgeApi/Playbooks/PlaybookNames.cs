using Flotta.EdgeApi.Fleet;
using Flotta.Resources;

namespace Flotta.EdgeApi.Playbooks;

/// <summary>Which PlaybookExecution a device means. The first of a config also answers to the only name that the original knows.</summary>
internal static class PlaybookNames
{
    private const string First = "-0";

    /// <summary>The execution, if it is one of this device.</summary>
    public static PlaybookExecution? Find(FleetCaches fleet, EdgeDevice device, string said)
    {
        var home = device.Metadata.NamespaceProperty;
        return (fleet.Playbooks.Get(home, said) ?? fleet.Playbooks.Get(home, said + First)) is { } playbook && IsOf(playbook, device) ? playbook : null;
    }

    public static bool Means(string? said, string name) =>
        string.Equals(said, name, StringComparison.Ordinal)
        || (said != null && name.Length == said.Length + First.Length && name.EndsWith(First, StringComparison.Ordinal) && name.StartsWith(said, StringComparison.Ordinal));

    // Those that an earlier installation made carry no label.
    private static bool IsOf(PlaybookExecution playbook, EdgeDevice device) =>
        playbook.Metadata.Labels?.TryGetValue(Names.Labels.Device, out var owner) == true
            ? owner == LabelValue.Fit(device.Metadata.Name)
            : playbook.Metadata.Name.StartsWith(device.Metadata.Name + "-", StringComparison.Ordinal);
}
