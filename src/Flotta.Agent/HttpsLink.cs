using Flotta.Wire;
using Flotta.Yggdrasil.Facts;
using Flotta.Yggdrasil.Settings;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent;

/// <summary>Asks the server itself: data/in and control/in side by side.</summary>
internal sealed class HttpsLink(HttpsTransport transport, Tags tags, PollOptions polls, Action<Command>? commanded, ILoggerFactory loggers, TimeProvider time) : ILink
{
    private volatile ControlLoop? _control;
    private volatile DataLoop? _data;

    public long? Holding => _data?.Holding;

    public void AskNow() => _control?.AskNow();

    public async Task<ControlEnd> RunAsync(IDataReceiver receiver, string commonName, CancellationToken cancellationToken)
    {
        var data = new DataLoop(transport, receiver, polls, loggers.CreateLogger<DataLoop>(), time) { Commanded = commanded };
        var status = new StatusSource(tags, commonName, loggers.CreateLogger<StatusSource>());
        using var control = new ControlLoop(transport, status, () => data.IsHeld, polls, loggers.CreateLogger<ControlLoop>(), time);
        data.Missing += control.AskNow;
        _control = control;
        _data = data;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var controlling = control.RunAsync(stop.Token);
        Task[] all = [controlling, data.RunAsync(stop.Token)];
        var first = await Task.WhenAny(all);
        await stop.CancelAsync();
        await Task.WhenAll(all).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        _control = null;
        _data = null;
        // Whoever ended first has the reason: also when it is that we are told to stop, or a fault.
        await first;
        return await controlling;
    }
}
