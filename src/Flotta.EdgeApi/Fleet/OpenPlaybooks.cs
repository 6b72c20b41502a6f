using System.Globalization;
using Flotta.Resources;

namespace Flotta.EdgeApi.Fleet;

/// <summary>The playbooks that a device should run and has not finished, in their order.</summary>
internal static class OpenPlaybooks
{
    /// <summary>More in one answer than any device runs between two questions; the others come with the next.</summary>
    private const int MostPlaybooks = 64;

    /// <summary>Nor more bytes: a device reads no answer of any size. One that is too large by itself goes alone.</summary>
    private const int MostBytes = 4 << 20;

    public static IReadOnlyList<PlaybookExecution> Of(FleetCaches fleet, EdgeDevice device)
    {
        var configs = (device.Metadata.Labels ?? new Dictionary<string, string>(StringComparer.Ordinal))
            .Where(label => label.Key.StartsWith(Names.Labels.ConfigPrefix, StringComparison.Ordinal))
            .Select(label => label.Value)
            .ToHashSet(StringComparer.Ordinal);
        if (configs.Count == 0)
            return [];
        // Those that an earlier installation made are found by their names; with the label of a device they are that one's.
        var inherited = configs.Select(config => fleet.Playbooks.Get(device.Metadata.NamespaceProperty, Names.FirstPlaybookExecution(device.Metadata.Name, config)))
            .OfType<PlaybookExecution>()
            .Where(playbook => playbook.Metadata.Labels?.ContainsKey(Names.Labels.Device) != true);
        var bytes = 0L;
        return
        [
            .. fleet.PlaybooksOf(device)
                .Where(playbook => configs.Any(config => playbook.Metadata.Labels[Names.Labels.Config] == LabelValue.Fit(config)))
                .Concat(inherited)
                .DistinctBy(playbook => playbook.Metadata.Name)
                .Where(playbook => playbook.Metadata.DeletionTimestamp == null && playbook.Spec.Playbook?.Content is { Length: > 0 } && !playbook.HasEnded())
                .OrderBy(playbook => ConfigOf(playbook) ?? "", StringComparer.Ordinal)
                .ThenBy(playbook => IndexOf(playbook) ?? 0)
                .Take(MostPlaybooks)
                .TakeWhile(playbook => (bytes += playbook.Spec.Playbook!.Content.Length) <= MostBytes || bytes == playbook.Spec.Playbook.Content.Length),
        ];
    }

    /// <summary>Which devices would be told of one: its own, as a rule.</summary>
    public static IEnumerable<EdgeDevice> DevicesOf(FleetCaches fleet, PlaybookExecution playbook)
    {
        var home = playbook.Metadata.NamespaceProperty;
        if (playbook.Metadata.Labels?.TryGetValue(Names.Labels.Device, out var label) != true)
            return fleet.DevicesOf(home).Where(device => playbook.Metadata.Name.StartsWith(device.Metadata.Name + "-", StringComparison.Ordinal));
        // A label may be cut.
        if (label!.Length >= LabelValue.MaxLength)
            return fleet.DevicesOf(home).Where(device => LabelValue.Fit(device.Metadata.Name) == label);
        return fleet.Devices.Get(home, label) is { } one ? [one] : [];
    }

    public static string? ConfigOf(PlaybookExecution playbook) =>
        playbook.Metadata.OwnerReferences?.FirstOrDefault(owner => owner.Kind == EdgeConfig.KindName)?.Name
        ?? (playbook.Metadata.Labels?.TryGetValue(Names.Labels.Config, out var config) == true ? config : null);

    public static int? IndexOf(PlaybookExecution playbook) =>
        playbook.Metadata.Annotations?.TryGetValue(Names.Annotations.Index, out var text) == true && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : null;
}
