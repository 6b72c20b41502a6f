using Flotta.Agent.Workloads;

namespace Flotta.Agent;

/// <summary>What the rest of the agent wants of the workloads; tests have no podman.</summary>
internal interface IWorkloads
{
    IReadOnlyList<WorkloadState> States { get; }

    event Action? Changed;

    void Apply(DesiredWorkloads desired);

    IReadOnlyList<WorkloadEvent> TakeEvents();

    void ReturnEvents(IReadOnlyList<WorkloadEvent> events);

    Task RunAsync(CancellationToken cancellationToken);

    Task RemoveAllAsync(CancellationToken cancellationToken);
}

internal sealed class PodmanWorkloads(WorkloadLoop loop) : IWorkloads
{
    public IReadOnlyList<WorkloadState> States => loop.States;

    public event Action? Changed
    {
        add => loop.Changed += value;
        remove => loop.Changed -= value;
    }

    public void Apply(DesiredWorkloads desired) => loop.Apply(desired);

    public IReadOnlyList<WorkloadEvent> TakeEvents() => loop.TakeEvents();

    public void ReturnEvents(IReadOnlyList<WorkloadEvent> events) => loop.ReturnEvents(events);

    public Task RunAsync(CancellationToken cancellationToken) => loop.RunAsync(cancellationToken);

    public Task RemoveAllAsync(CancellationToken cancellationToken) => loop.RemoveAllAsync(cancellationToken);
}
