using System.Runtime.InteropServices;
using Flotta.Agent;
using Flotta.Agent.CommandLine;
using Flotta.Agent.Logging;
using Flotta.Agent.Workloads;
using Microsoft.Extensions.Logging;

return await AgentCommand.RunAsync(args, Console.Error, RunAsync);

static async Task<int> RunAsync(AgentOptions options)
{
    using var stop = new CancellationTokenSource();
    void Stop(PosixSignalContext signal)
    {
        // A second one is not argued with.
        signal.Cancel = !stop.IsCancellationRequested;
        stop.Cancel();
    }

    using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
    using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
    using var log = new StderrLog(options.LogLevel, TimeProvider.System, Console.Error);
    try
    {
        using var podman = new PodmanClient(options.PodmanSocket);
        using var agent = new DeviceAgent(
            options,
            (deviceId, folder) => new PodmanWorkloads(new WorkloadLoop(podman, deviceId, folder.Path, TimeProvider.System, log.CreateLogger<WorkloadLoop>())),
            log,
            TimeProvider.System);
        using var idle = IdleMemory.Watch(TimeProvider.System);
        await agent.RunAsync(stop.Token);
        return 0;
    }
    catch (OperationCanceledException) when (stop.IsCancellationRequested)
    {
        return 0;
    }
    catch (AgentStartException exception)
    {
        await Console.Error.WriteLineAsync($"flotta-agent: {exception.Message}");
        return 1;
    }
    catch (Exception exception)
    {
        await Console.Error.WriteLineAsync($"flotta-agent: stopped by what nobody thought of: {exception}");
        return 1;
    }
}
