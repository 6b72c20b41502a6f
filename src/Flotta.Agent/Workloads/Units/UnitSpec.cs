using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Flotta.Agent.Workloads;

/// <summary>What a unit of systemd has to say of one workload: always of its last good version, so that a boot in the middle of a trial starts what worked.</summary>
internal sealed record UnitSpec(string Workload, string DeviceId, string ManifestPath, string? Network, RestartPolicy Policy, int GraceSeconds)
{
    /// <summary>Null where systemd shall start nothing: a workload that never runs twice, or one whose folders the agent itself has to mount first.</summary>
    /// <param name="mounts">Folders that the agent mounts.</param>
    public static UnitSpec? Of(string workload, string deviceId, LastGood good, string manifestPath, IReadOnlyList<string> mounts)
    {
        try
        {
            if (JsonNode.Parse(good.Document) is not JsonObject document || document.Map("metadata") is not { } metadata || metadata.Map("labels") is not { } labels
                || labels.Text(ObjectLabels.Workload) != workload || metadata.Text("name") != workload)
            {
                return null;
            }
            var policy = Enum.TryParse<RestartPolicy>(labels.Text(ObjectLabels.RestartPolicy), out var said) ? said : RestartPolicy.Always;
            var grace = int.TryParse(labels.Text(ObjectLabels.GraceSeconds), CultureInfo.InvariantCulture, out var seconds) ? seconds : ActualPod.DefaultGraceSeconds;
            return policy == RestartPolicy.Never || HostPaths(document).Any(path => mounts.Any(mount => DesiredPod.IsWithin(path, mount)))
                ? null
                : new UnitSpec(workload, deviceId, manifestPath, good.Network, policy, grace);
        }
        catch (Exception exception) when (exception is JsonException or ManifestException)
        {
            // A damaged record is as good as none.
            return null;
        }
    }

    private static IEnumerable<string> HostPaths(JsonObject document) =>
        document.Map("spec")?.Maps("volumes").Select(volume => volume.Map("hostPath")?.Text("path")).OfType<string>() ?? [];
}
