using Flotta.Agent.Duties;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Metrics;

/// <summary>
/// Brings what is stored to the receiver: in order, one request at a time. Whatever may be taken later is tried for ever; a request that is
/// refused for its content is halved until the sample that is to blame stands alone, and only that is given up.
/// </summary>
internal sealed partial class SendLoop(SampleLog log, IReceiver receiver, string deviceId, int most, IDutyReport report, ILogger logger, TimeProvider time)
{
    // A request that is refused whole, whatever is in it, is not worth a thousand others.
    private const int MostHalvings = 64;
    private const int LargestRequest = 1 << 20;
    private const int ToldAfter = 3;
    private readonly BackOff _backOff = new(TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(10));
    private readonly int _most = Math.Clamp(most, 1, 100_000);
    private int _failures;
    private string? _told;

    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Told what keeps the receiver from taking anything, or null once it does.</summary>
    public Action<string?> Delivers { get; init; } = static _ => { };

    public async Task RunAsync(Signal stored, CancellationToken cancellationToken)
    {
        while (true)
        {
            while (log.Read(Math.Min(_most, 10_000)) is { } batch)
            {
                await DeliverAsync(batch.Samples, cancellationToken);
                log.Acknowledge(batch.Next);
            }

            TellLost();
            await stored.WaitAsync(TimeSpan.FromHours(1), time, cancellationToken);
            // A fleet that was switched on together does not send together; what several targets say in the meantime goes in one request.
            await Task.Delay(BackOff.Around(Pause, 0.5), time, cancellationToken);
        }
    }

    private async Task DeliverAsync(IReadOnlyList<StoredSample> samples, CancellationToken cancellationToken)
    {
        var waiting = new Stack<IReadOnlyList<StoredSample>>(samples.Chunk(_most).Reverse());
        var (halvings, refused) = (0, 0);
        while (waiting.TryPop(out var part))
        {
            var request = Encoded(part, waiting);
            if (request is null)
                continue;
            var delivery = await SendAsync(request.Value, cancellationToken);
            if (delivery.Verdict == Verdict.Taken)
                continue;
            if (part.Count > 1 && halvings < MostHalvings)
            {
                halvings++;
                Halve(part, waiting);
                continue;
            }

            refused += part.Count;
            LogRefused(logger, part.Count, delivery.Problem ?? "");
        }

        if (refused > 0)
            report.Warn("MetricsRefused", $"The metrics receiver refuses {refused} samples for good; they are dropped");
    }

    /// <summary>Null when it was too large and was halved instead.</summary>
    private ReadOnlyMemory<byte>? Encoded(IReadOnlyList<StoredSample> part, Stack<IReadOnlyList<StoredSample>> waiting)
    {
        var request = WriteRequest.Encode(part, deviceId);
        if (request.Length > LargestRequest && part.Count > 1)
        {
            Halve(part, waiting);
            return null;
        }

        var compressed = new byte[Snappy.MostBytes(request.Length)];
        return compressed.AsMemory(0, Snappy.Compress(request, compressed));
    }

    private static void Halve(IReadOnlyList<StoredSample> part, Stack<IReadOnlyList<StoredSample>> waiting)
    {
        var half = part.Count / 2;
        waiting.Push([.. part.Skip(half)]);
        waiting.Push([.. part.Take(half)]);
    }

    /// <summary>Returns once there is a verdict on the content.</summary>
    private async Task<Delivery> SendAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        while (true)
        {
            var delivery = await receiver.SendAsync(request, cancellationToken);
            if (delivery.Verdict != Verdict.Later)
            {
                Reached();
                return delivery;
            }

            Failed(delivery.Problem ?? "");
            TellLost();
            await Task.Delay(_backOff.Next(delivery.RetryAfter), time, cancellationToken);
        }
    }

    private void Failed(string problem)
    {
        if (++_failures < ToldAfter || _told == problem)
            return;
        _told = problem;
        Delivers(problem);
        report.Warn("MetricsReceiverUnreachable", $"Metrics wait on the device: {problem}");
        LogUnreachable(logger, problem);
    }

    private void Reached()
    {
        _backOff.Reset();
        _failures = 0;
        Delivers(null);
        if (_told is null)
            return;
        _told = null;
        report.Info("MetricsReceiverReachable", "The metrics receiver takes metrics again");
    }

    private void TellLost()
    {
        if (log.TakeLost() is var lost and > 0)
            report.Warn("MetricsDropped", $"{lost} samples were dropped unsent: more, or older, than this device may keep, or its disk is full");
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "the metrics receiver takes nothing: {Problem}")]
    private static partial void LogUnreachable(ILogger logger, string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "the metrics receiver refuses {Count} samples: {Problem}")]
    private static partial void LogRefused(ILogger logger, int count, string problem);
}
