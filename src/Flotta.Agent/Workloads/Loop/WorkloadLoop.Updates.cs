namespace Flotta.Agent.Workloads;

/// <summary>Workloads that follow the image behind a name: now and then somebody looks whether it is another one.</summary>
public sealed partial class WorkloadLoop
{
    private readonly AutoUpdate _updates;
    private Task _updateWork = Task.CompletedTask;
    private TimeSpan? _updatesAt;
    private DesiredWorkloads _applied = DesiredWorkloads.None;

    internal TimeSpan BetweenUpdates { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Beside the loop: a registry that stalls shall hold up no workload.</summary>
    private void FollowImages(CancellationToken cancellationToken)
    {
        if (!_updateWork.IsCompleted)
            return;
        List<PodManifest> due;
        lock (_lock)
        {
            due = [.. (_desired ?? []).Select(wanted => wanted.Manifest).OfType<PodManifest>().Where(manifest => manifest.Updates != UpdateSource.None)];
            if (due.Count == 0)
            {
                _updatesAt = null;
                return;
            }
            _updatesAt ??= Now + BetweenUpdates;
            if (Now < _updatesAt)
                return;
            _updatesAt = Now + (BetweenUpdates * (0.9 + (Random.Shared.NextDouble() / 5)));
            // Only one that has proven itself is exchanged, and nothing that is being worked on.
            due.RemoveAll(manifest => _work.ContainsKey(manifest.Name) || _items.GetValueOrDefault(manifest.Name)?.Good is not { } good || (!manifest.Pinned && good != manifest.Hash));
        }
        _updateWork = Task.Run(() => FollowAsync(due, cancellationToken), CancellationToken.None);
    }

    private async Task FollowAsync(IReadOnlyList<PodManifest> manifests, CancellationToken cancellationToken)
    {
        var found = false;
        foreach (var manifest in manifests)
        {
            try
            {
                found |= await _updates.CheckAsync(manifest, cancellationToken);
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
        }
        if (found)
            Render();
    }

    /// <summary>What is desired, with the images that are known by now.</summary>
    private void Render()
    {
        lock (_lock)
        {
            if (_closed || _desired is null)
                return;
            _desired = DesiredPod.From(_applied, _deviceId, _folders);
            CancelOutdated();
        }
        _wake.Set();
    }
}
