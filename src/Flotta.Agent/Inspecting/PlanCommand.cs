using Flotta.Agent.CommandLine;
using Flotta.Agent.Desired;
using Flotta.Agent.Workloads;

namespace Flotta.Agent.Inspecting;

/// <summary><c>flotta-agent plan</c>: what the agent would do now, from what is on disk and what podman has. Changes nothing, and may run beside the agent.</summary>
internal static class PlanCommand
{
    public static async Task<int> RunAsync(AgentOptions options, TextWriter output, TextWriter errors, CancellationToken cancellationToken)
    {
        var last = Read(options.DataDirectory, "desired.json");
        if ((last ?? Read(options.DataDirectory, "desired.previous.json")) is not { } stored)
        {
            await errors.WriteLineAsync($"flotta-agent: {options.DataDirectory} has no desired state that can be read: the server has sent none yet, or the files are damaged.");
            return 1;
        }

        var deviceId = stored.Document.DeviceId ?? options.ClientId ?? "";
        var place = Containers.PlaceOf(options);
        var folders = WorkloadFolders.In(options.DataDirectory, place.User);
        var desired = DesiredPod.From(DesiredWorkloads.Of(stored.Document), deviceId, folders);
        using var podman = new PodmanClient(place.Socket);
        try
        {
            var actual = await Observation.ReadAsync(podman, deviceId, cancellationToken);
            var states = new Dictionary<string, ItemState>(StringComparer.Ordinal);
            foreach (var wanted in desired)
            {
                var good = await Records.ReadAsync(folders.LastGood(wanted.Name), RecordsJson.Default.LastGood, cancellationToken);
                states[wanted.Name] = ItemState.Fresh with { Good = good?.Hash };
            }

            await output.WriteLineAsync($"device {deviceId}, configuration {stored.Document.Version}{(last is null ? ", the one before the last, which is damaged: nothing is changed until the server has said what it wants" : "")}");
            foreach (var workload in Plan.Between(desired, actual, states, TimeSpan.Zero, outdated: last is null).Workloads)
                await output.WriteLineAsync(workload.Reason is null ? workload.ToString() : $"{workload} ({workload.Reason}: {workload.Message})");
            return 0;
        }
        catch (PodmanException exception)
        {
            await errors.WriteLineAsync($"flotta-agent: {exception.Message}");
            return 1;
        }
    }

    private static StoredDesired? Read(string folder, string name)
    {
        try
        {
            var path = Path.Combine(folder, name);
            return File.Exists(path) ? DesiredFile.Read(File.ReadAllBytes(path), out _) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
