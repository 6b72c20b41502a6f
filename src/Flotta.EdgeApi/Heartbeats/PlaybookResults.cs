using System.Text.Json;
using System.Text.Json.Nodes;
using Flotta.EdgeApi.Fleet;
using Flotta.Kube;
using Flotta.Resources;

namespace Flotta.EdgeApi.Heartbeats;

/// <summary>What a device says about its playbooks, written to the PlaybookExecutions themselves. Only to the device's own, and only when it is news.</summary>
internal sealed class PlaybookResults(KubeApi api, FleetCaches fleet, TimeProvider time)
{
    public async Task StoreAsync(EdgeDevice device, IReadOnlyList<Wire.PlaybookExecutionStatus>? said, CancellationToken cancellationToken)
    {
        foreach (var report in said ?? [])
        {
            if (report.Name is not { Length: > 0 } name || report.Status is not { Length: > 0 } type || !name.StartsWith(device.Metadata.Name + "-", StringComparison.Ordinal))
                continue;
            if (fleet.Playbooks.Get(device.Metadata.NamespaceProperty, name) is not { } playbook || IsNow(playbook, type))
                continue;
            var conditions = PlaybookReport.Now(playbook.Status?.Conditions, Report.Text(type)!, time.GetUtcNow());
            var patch = new JsonObject { ["status"] = new JsonObject { ["conditions"] = JsonSerializer.SerializeToNode(conditions, KubeJson.Options) } };
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

    private static bool IsNow(PlaybookExecution playbook, string type) => playbook.Status?.Conditions?.Any(condition =>
        string.Equals(condition.Type, type, StringComparison.Ordinal) && condition.Status == Names.ConditionStatus.True) == true;
}
