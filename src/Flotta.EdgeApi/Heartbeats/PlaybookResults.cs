using System.Text.Json.Nodes;
using Flotta.EdgeApi.Fleet;
using Flotta.EdgeApi.Playbooks;
using Flotta.Kube;
using Flotta.Resources;

namespace Flotta.EdgeApi.Heartbeats;

/// <summary>What a device says about its playbooks, written to the PlaybookExecutions themselves. Only to the device's own, and only when it is news.</summary>
internal sealed class PlaybookResults(KubeApi api, FleetCaches fleet, TimeProvider time)
{
    public async Task StoreAsync(EdgeDevice device, IReadOnlyList<Wire.PlaybookExecutionStatus>? said, CancellationToken cancellationToken)
    {
        // Of one playbook only the last word counts: a report that contradicts itself a thousand times is written once.
        foreach (var report in (said ?? []).Reverse().DistinctBy(report => report.Name, StringComparer.Ordinal))
        {
            if (report.Name is not { Length: > 0 } name || PlaybookNames.Find(fleet, device, name) is not { } playbook)
                continue;
            if (PlaybookReport.Apply(playbook.Status, report, time.GetUtcNow()) is not { } status || ReferenceEquals(status, playbook.Status))
                continue;
            var patch = new JsonObject { ["status"] = KubeJson.Node(status) };
            try
            {
                fleet.Playbooks.Remember(await api.MergePatchStatusAsync<PlaybookExecution>(ObjectKey.Of(playbook), patch, cancellationToken));
            }
            catch (KubeException gone) when (gone.IsNotFound)
            {
                // Removed meanwhile: nobody wants to know any more.
            }
        }
    }

    /// <summary>Those that are said of what is there now: not of an earlier one of the same name, whose end the device did not get to tell.</summary>
    public IReadOnlyList<Wire.PlaybookExecutionStatus>? Present(EdgeDevice device, IReadOnlyList<Wire.PlaybookExecutionStatus>? said) =>
        said is null || said.All(report => IsPresent(device, report)) ? said : [.. said.Where(report => IsPresent(device, report))];

    private bool IsPresent(EdgeDevice device, Wire.PlaybookExecutionStatus report) =>
        string.IsNullOrEmpty(report.Uid) || string.IsNullOrEmpty(report.Name) || PlaybookNames.Find(fleet, device, report.Name) is not { } playbook || playbook.Metadata.Uid == report.Uid;
}
