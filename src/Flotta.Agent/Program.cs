using System.Runtime.InteropServices;
using Flotta.Agent;
using Flotta.Agent.Attached;
using Flotta.Agent.CommandLine;
using Flotta.Agent.Daemon;
using Flotta.Agent.Duties;
using Flotta.Agent.Inspecting;
using Flotta.Agent.Logging;
using Flotta.Agent.LogStreams;
using Flotta.Agent.Workloads;
using Flotta.Yggdrasil.Credentials;
using Flotta.Yggdrasil.Transport;
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
    TimeProvider time = options.Thrifty ? new ThriftyTime() : TimeProvider.System;
    using var log = new StderrLog(options.LogLevel, time, Console.Error);
    using var idle = IdleMemory.Watch(time);
    try
    {
        if (options.Verb == Verb.Plan)
            return await PlanCommand.RunAsync(options, Console.Out, Console.Error, stop.Token);
        await (options.Verb switch
        {
            Verb.Yggdrasil => CarryAsync(options, log, time, stop.Token),
            Verb.Worker => AttachAsync(options, log, time, stop.Token),
            Verb.Decommission => DecommissionAsync(options, log, time, stop.Token),
            _ => ServeAsync(options, log, time, stop.Token),
        });
        return 0;
    }
    catch (OperationCanceledException) when (stop.IsCancellationRequested)
    {
        return 0;
    }
    catch (Exception exception) when (exception is AgentStartException or CredentialException or IOException or UnauthorizedAccessException)
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

static async Task ServeAsync(AgentOptions options, ILoggerFactory log, TimeProvider time, CancellationToken cancellationToken)
{
    using var containers = Containers.Of(options, log, time);
    using var agent = new DeviceAgent(
        options,
        containers.Workloads,
        log,
        time,
        duties: site => DeviceDuties.Of(site, containers.Podman, containers.User, log, time),
        logs: (deviceId, transport) => Logs(containers.Podman, deviceId, transport, log, time));
    await agent.RunAsync(cancellationToken);
}

static async Task DecommissionAsync(AgentOptions options, ILoggerFactory log, TimeProvider time, CancellationToken cancellationToken)
{
    using var containers = Containers.Of(options, log, time);
    await Decommissioning.RunAsync(options, containers.Workloads, log, cancellationToken);
}

static async Task AttachAsync(AgentOptions options, ILoggerFactory log, TimeProvider time, CancellationToken cancellationToken)
{
    using var containers = Containers.Of(options, log, time);
    await using var agent = new AttachedAgent(Environment.GetEnvironmentVariable, log, time)
    {
        Duties = site => DeviceDuties.Of(site, containers.Podman, containers.User, log, time),
    };
    await agent.RunAsync(options, containers.Workloads, cancellationToken);
}

static async Task CarryAsync(AgentOptions options, ILoggerFactory log, TimeProvider time, CancellationToken cancellationToken)
{
    using var daemon = new YggdrasilDaemon(options, log, time);
    await daemon.RunAsync(cancellationToken);
}


static LogStreamer Logs(PodmanClient podman, string deviceId, HttpsTransport transport, ILoggerFactory log, TimeProvider time) =>
    new(podman, deviceId, transport.StreamAsync, log.CreateLogger<LogStreamer>(), time);
