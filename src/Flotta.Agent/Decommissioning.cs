using Flotta.Agent.CommandLine;
using Flotta.Agent.Desired;
using Flotta.Agent.Duties;
using Flotta.Agent.Files;
using Flotta.Agent.Firewall;
using Flotta.Agent.Hardware;
using Flotta.Agent.Heartbeats;
using Flotta.Agent.Identities;
using Flotta.Agent.Mounts;
using Flotta.Yggdrasil.Credentials;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent;

/// <summary><c>flotta-agent decommission</c>: what a disconnect from the server does, by hand, on a machine that no server reaches any more.</summary>
internal static class Decommissioning
{
    private static readonly string[] OfState = ["desired.json", "desired.previous.json", "events.json", "connection.json", "mounts.json", "images.json", "os-upgrade.json"];
    private static readonly string[] OfIdentity = ["identity.pem", "identity.previous.pem", "next-key.pem", KeyLock.FileName, KeyLock.LostFileName, "bootstrap.pem", "client-id"];

    /// <exception cref="AgentStartException">With a sentence for a person, also when podman could not be asked.</exception>
    public static async Task RunAsync(AgentOptions options, Func<string, DataDirectory, IWorkloads> workloads, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        using var folder = DataDirectory.Open(options.DataDirectory);
        var deviceId = NameOf(options, folder, loggers);
        try
        {
            await workloads(deviceId, folder).RemoveAllAsync(cancellationToken);
        }
        catch (Workloads.PodmanException exception)
        {
            throw new AgentStartException($"The workloads are not removed: {exception.Message}. Nothing else was touched.", exception);
        }

        using var mounts = new MountLoop(folder, new EventQueue(), MountFacts.OfThisMachine, loggers.CreateLogger<MountLoop>(), TimeProvider.System);
        await mounts.RemoveAllAsync(cancellationToken);
        using var firewall = new FirewallLoop(deviceId, loggers.CreateLogger<FirewallLoop>(), TimeProvider.System);
        await firewall.RemoveAllAsync(cancellationToken);
        foreach (var name in options.Wipe ? OfState.Concat(OfIdentity) : OfState)
            DurableFile.Delete(folder[name]);
        foreach (var name in DeviceDuties.Folders.Where(name => Directory.Exists(folder[name])))
            Directory.Delete(folder[name], recursive: true);
    }

    /// <summary>Everything of ours in podman carries the device's name, so that has to be known.</summary>
    private static string NameOf(AgentOptions options, DataDirectory folder, ILoggerFactory loggers)
    {
        if (options.ClientId is { } configured)
            return configured;
        if (new DesiredStore(folder, loggers.CreateLogger<DesiredStore>()).Load()?.Document.DeviceId is { } stored)
            return stored;
        try
        {
            return File.Exists(folder["identity.pem"]) && File.ReadAllText(folder["identity.pem"]) is var pem
                ? Identity.NameIn(pem, "identity.pem")
                : ClientId.Resolve(null, folder, () => null);
        }
        catch (CredentialException exception)
        {
            throw new AgentStartException($"Which device this is cannot be told: {exception.Message} Use --client-id.", exception);
        }
    }
}
