using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Workloads;

/// <summary>Makes podman's pods what is desired: on Apply, on podman's events, and now and then.</summary>
public sealed class WorkloadLoop(PodmanClient podman, string deviceId, string dataDirectory, TimeProvider time, ILogger<WorkloadLoop> logger)
{
    public IReadOnlyList<WorkloadState> States { get; private set; } = [];

    /// <summary>Something that a heartbeat should tell at once.</summary>
    public event Action? Changed;

    public void Apply(DesiredWorkloads desired)
    {
        _ = (podman, deviceId, dataDirectory, time, logger, desired);
        Changed?.Invoke();
    }

    public IReadOnlyList<WorkloadEvent> TakeEvents() => [];

    /// <summary>Gives back what could not be sent; it comes first at the next <see cref="TakeEvents"/>.</summary>
    public void ReturnEvents(IReadOnlyList<WorkloadEvent> events) => _ = events;

    public Task RunAsync(CancellationToken cancellationToken) => Task.Delay(Timeout.Infinite, cancellationToken);

    public Task RemoveAllAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
