namespace Flotta.Agent.Workloads;

/// <summary>Listens to podman's events and wakes the loop. When the stream ends it is opened again, with growing pauses.</summary>
internal sealed class PodmanWatch(PodmanClient podman, Wake wake, TimeProvider time)
{
    private static readonly HashSet<string> Telling = new(StringComparer.Ordinal) { "start", "died", "die", "stop", "kill", "remove", "pause", "unpause", "cleanup" };

    /// <summary>While this is false, the loop has to look more often by itself.</summary>
    public bool Listening { get; private set; }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var tries = 0;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await foreach (var happened in podman.EventsAsync(Connected, cancellationToken))
                {
                    tries = 0;
                    if (Telling.Contains(happened.Action ?? ""))
                        wake.Set();
                }
            }
            catch (PodmanException)
            {
                // The loop's own calls say why podman cannot be asked.
            }
            Listening = false;
            podman.Forget();
            wake.Set();
            await Task.Delay(Backoff.After(++tries, Random.Shared.NextDouble()), time, cancellationToken);
        }
    }

    private void Connected()
    {
        Listening = true;
        // What happened while nobody listened.
        wake.Set();
    }
}
