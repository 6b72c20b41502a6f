using System.Text.Json.Nodes;
using Flotta.Kube;
using Flotta.Resources;

namespace Flotta.Operator.Workloads;

/// <summary>
/// What has to change on one device so that its status and labels say what <see cref="Placement"/> says. The device itself needs neither:
/// the Edge API asks Placement as well. <paramref name="Entries"/> is null where status.workloads is right already;
/// <paramref name="Labels"/> holds only labels to set, or to remove (null).
/// </summary>
internal sealed record PlacementPlan(IReadOnlyList<DeviceWorkload>? Entries, IReadOnlyDictionary<string, string?> Labels)
{
    public bool IsEmpty => Entries is null && Labels.Count == 0;

    public static PlacementPlan For(EdgeDevice device, IEnumerable<EdgeWorkload> workloads)
    {
        var names = workloads
            .Where(workload => Placement.Concerns(workload, device))
            .Select(workload => workload.Metadata.Name)
            .Order(StringComparer.Ordinal)
            .ToList();
        return new(EntriesFor(device.Status?.Workloads ?? [], names), LabelsFor(Placement.LabelsOf(device), names));
    }

    public JsonObject StatusPatch(string resourceVersion) => new()
    {
        // The list is written as a whole, and the Edge API writes to it as well: a write on top of one not seen yet is refused.
        ["metadata"] = new JsonObject { ["resourceVersion"] = resourceVersion },
        ["status"] = new JsonObject { ["workloads"] = KubeJson.Node(Entries) },
    };

    public JsonObject LabelsPatch() => new()
    {
        ["metadata"] = new JsonObject { ["labels"] = new JsonObject(Labels.Select(label => KeyValuePair.Create(label.Key, (JsonNode?)label.Value))) },
    };

    // What is kept is kept as it is and where it is: phases are the device's to tell, and an order that changes would be a change to everybody.
    private static List<DeviceWorkload>? EntriesFor(IReadOnlyList<DeviceWorkload> present, List<string> names)
    {
        var kept = present.Where(entry => names.Contains(entry.Name, StringComparer.Ordinal)).DistinctBy(entry => entry.Name, StringComparer.Ordinal).ToList();
        var added = names.Except(kept.Select(entry => entry.Name), StringComparer.Ordinal).ToList();
        return added.Count == 0 && kept.Count == present.Count
            ? null
            : [.. kept, .. added.Select(name => new DeviceWorkload { Name = name, Phase = Names.WorkloadPhases.Deploying })];
    }

    private static Dictionary<string, string?> LabelsFor(IReadOnlyDictionary<string, string> present, List<string> names)
    {
        var wanted = names.Select(Names.Labels.Workload).ToHashSet(StringComparer.Ordinal);
        var changes = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var label in wanted.Where(label => present.GetValueOrDefault(label) != Names.Labels.True)) changes[label] = Names.Labels.True;
        foreach (var label in present.Keys.Where(label => label.StartsWith(Names.Labels.WorkloadPrefix, StringComparison.Ordinal) && !wanted.Contains(label)))
            changes[label] = null;
        return changes;
    }
}
