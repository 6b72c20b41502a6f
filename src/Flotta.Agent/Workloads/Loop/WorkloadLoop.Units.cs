namespace Flotta.Agent.Workloads;

/// <summary>Units of systemd follow what has proven itself: at start, at each change of that, and now and then in case somebody changed them.</summary>
public sealed partial class WorkloadLoop
{
    private static readonly TimeSpan BetweenUnitChecks = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan UnitsAgain = TimeSpan.FromMinutes(1);

    private Task _unitWork = Task.CompletedTask;
    private string? _unitsFor;
    private TimeSpan _unitsAt;

    /// <summary>Beside the loop: a systemd that hangs shall hold up no workload.</summary>
    private void KeepUnits(CancellationToken cancellationToken)
    {
        if (_units is not { } units || !_unitWork.IsCompleted)
            return;
        List<string> workloads;
        IReadOnlyList<string> mounts;
        string wanted;
        lock (_lock)
        {
            // What ended well for good is not to be run again at each boot.
            workloads = [.. (_desired ?? []).Select(pod => pod.Name).Where(name => _items.GetValueOrDefault(name)?.Good is not null && ReasonOf(name) != Reasons.Completed)];
            mounts = _mounts;
            wanted = string.Join('\n', workloads.Select(name => $"{name} {_items[name].Good}").Concat(mounts));
        }
        if (wanted == _unitsFor && Now < _unitsAt)
            return;
        _unitsFor = wanted;
        _unitWork = Task.Run(() => KeepUnitsAsync(units, workloads, mounts, cancellationToken), CancellationToken.None);
    }

    private async Task KeepUnitsAsync(SystemdUnits units, IReadOnlyList<string> workloads, IReadOnlyList<string> mounts, CancellationToken cancellationToken)
    {
        var done = false;
        try
        {
            done = await units.ReconcileAsync(workloads, mounts, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return;
        }
        catch (PodmanException)
        {
            // The loop's own calls say why podman cannot be asked.
        }
        catch (Exception exception)
        {
            LogFailed(_logger, exception);
        }
        _unitsAt = Now + (done ? BetweenUnitChecks : UnitsAgain);
    }

    /// <summary>With the lock held.</summary>
    private string? ReasonOf(string workload) => _plan.Workloads.FirstOrDefault(plan => plan.Workload == workload)?.Reason;
}
