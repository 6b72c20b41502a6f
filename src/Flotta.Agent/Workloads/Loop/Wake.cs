using System.Threading.Channels;

namespace Flotta.Agent.Workloads;

/// <summary>Something has happened, once or many times: look again.</summary>
internal sealed class Wake(TimeProvider time)
{
    private readonly Channel<bool> _pending = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Set() => _pending.Writer.TryWrite(true);

    public async Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        using var limit = new Deadline(atMost, time, cancellationToken);
        try
        {
            await _pending.Reader.ReadAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Nothing happened; it is time to look all the same.
        }
    }
}
