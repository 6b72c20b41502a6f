using Flotta.Kube;
using Flotta.Operator.Devices;
using Flotta.Operator.DeviceSets;
using Flotta.Operator.Enrolment;
using Flotta.Operator.Playbooks;
using Flotta.Operator.Storage;
using Flotta.Operator.Workloads;
using k8s;
using Microsoft.Extensions.Logging;

namespace Flotta.Operator;

/// <summary>The Operator at work, from when it has read the cluster once until it is disposed of.</summary>
public sealed class OperatorHost : IAsyncDisposable
{
    private readonly KubeApi api;
    private readonly Inventory inventory;
    private readonly CancellationTokenSource stopping = new();
    private readonly Leadership leadership;
    private Task running = Task.CompletedTask;

    private OperatorHost(OperatorOptions options, KubeApi api, ILoggerFactory loggers, TimeProvider time)
    {
        this.api = api;
        var election = options.LeaderElect ? Election(options, loggers, time) : null;
        inventory = new(api, election, options, loggers, time);
        var pace = new Pace(options.WritesPerSecond, time);
        var placement = new PlacementController(inventory, options, pace, loggers, time);
        IController[] controllers =
        [
            new EnrolmentController(inventory, options, loggers, time),
            new DeviceDeletionController(inventory, options, loggers, time),
            new LivenessController(inventory, options, pace, loggers, time),
            placement,
            new WorkloadController(inventory, options, placement, loggers, time),
            new DeviceSetController(inventory, options, loggers, time),
            new PlaybookController(inventory, options, pace, loggers, time),
            new EdgeConfigController(inventory, options, loggers, time),
            new BucketController(inventory, options, pace, loggers, time),
        ];
        leadership = new Leadership(controllers, election);
    }

    /// <summary>True once the cluster was read.</summary>
    public bool IsReady => inventory.Devices.HasSynced && inventory.Workloads.HasSynced && inventory.Requests.HasSynced && inventory.Playbooks.HasSynced;

    /// <exception cref="OperatorStartException">With one sentence for a person.</exception>
    public static Task<OperatorHost> StartAsync(
        OperatorOptions options,
        KubernetesClientConfiguration configuration,
        ILoggerFactory loggers,
        TimeProvider time,
        CancellationToken cancellationToken) =>
        StartAsync(options, KubeApi.Connect(configuration, time, "flotta-operator"), configuration.Host, loggers, time, cancellationToken);

    internal static async Task<OperatorHost> StartAsync(
        OperatorOptions options, KubeApi api, string server, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken)
    {
        var host = new OperatorHost(options, api, loggers, time);
        try
        {
            await FirstLook.TakeAsync(api, server, cancellationToken);
            host.running = host.RunAsync();
            await host.inventory.WaitForSyncAsync(cancellationToken);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await running;
        stopping.Dispose();
        api.Dispose();
    }

    private Task RunAsync() => Task.WhenAll(inventory.RunAsync(stopping.Token), LeadAsync());

    private async Task LeadAsync()
    {
        await inventory.WaitForSyncAsync(stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await leadership.RunAsync(stopping.Token);
    }

    private LeaseHolder Election(OperatorOptions options, ILoggerFactory loggers, TimeProvider time) => new(
        api,
        new()
        {
            Namespace = options.OperatorNamespace,
            Name = "b9eebab3.project-flotta.io",
            Identity = options.Identity,
            // Less than the 15 s of the original, so that even the slowest change of leader takes less than 20 s.
            Duration = TimeSpan.FromSeconds(12),
            RenewEvery = TimeSpan.FromSeconds(2),
        },
        loggers,
        time);
}
