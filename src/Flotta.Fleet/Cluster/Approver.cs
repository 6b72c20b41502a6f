namespace Flotta.Fleet.Cluster;

/// <summary>Approves the devices of this fleet, and no others, as soon as they have asked.</summary>
internal sealed class Approver(KubernetesApi api, string prefix, TextWriter progress, TimeProvider time)
{
    private const int AtOnce = 16;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        string? told = null;
        while (true)
        {
            try
            {
                var pending = await api.PendingAsync(prefix, cancellationToken);
                await Parallel.ForEachAsync(
                    pending, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
                    async (name, stop) => await api.ApproveAsync(name, stop));
                told = null;
            }
            catch (Exception failed) when (!cancellationToken.IsCancellationRequested && failed is HttpRequestException or OperationCanceledException)
            {
                // A server that restarts, a request that has gone: the next round sees. Said once.
                if (told != failed.Message)
                    await progress.WriteLineAsync($"approving: {failed.Message}");
                told = failed.Message;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(500), time, cancellationToken);
        }
    }
}
