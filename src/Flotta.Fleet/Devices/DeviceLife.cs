using Flotta.Fleet.Reports;
using Flotta.Fleet.Transport;
using Flotta.Wire;
using Flotta.Yggdrasil.Credentials;
using Flotta.Yggdrasil.Transport;

namespace Flotta.Fleet.Devices;

/// <summary>Why a device's life with one identity and one link ended.</summary>
internal enum DeviceEnd
{
    /// <summary>401: this certificate is not accepted.</summary>
    Refused,

    /// <summary>The server sent disconnect.</summary>
    Disconnected,
    LinkCut,

    /// <summary>Time for the next certificate.</summary>
    Renewal,
}

/// <summary>
/// What a registered device does: asks for its configuration, tells how it is, looks whether it is still wanted. Its workloads live on while links and certificates come and go.
/// </summary>
internal sealed class DeviceLife(SimulatedDevice device, DeviceSettings settings, EdgeServer server, IFleetLog log)
{
    private static readonly TimeSpan Together = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LeastGap = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan DefaultPeriod = TimeSpan.FromSeconds(60);

    private readonly SimulatedWorkloads _workloads = new(settings, Random.Shared);
    private readonly Lock _lock = new();
    private readonly long _born = server.Time.GetTimestamp();
    private TaskCompletionSource _cut = new();
    private DeviceConfiguration? _configuration;
    private ConfigurationMark? _mark;
    private MessageBody? _body;
    private (ReadOnlyMemory<byte> Message, int Events)? _unanswered;
    private readonly List<DeviceEvent> _events = [];
    private bool _introduced;

    public TimeSpan DownFor { get; private set; }

    private TimeSpan Now => server.Time.GetElapsedTime(_born);

    /// <summary>Nothing fails any more.</summary>
    public void CalmDown()
    {
        lock (_lock)
            _workloads.CalmDown();
    }

    public void Cut(TimeSpan downFor)
    {
        DownFor = downFor;
        _cut.TrySetResult();
    }

    public async Task<DeviceEnd> RunAsync(DeviceLink link, Identity identity, CancellationToken cancellationToken)
    {
        _cut = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var news = new Signal();
        using var look = new Signal();
        Task<DeviceEnd>[] loops =
        [
            ConfigureAsync(link, news, look, end.Token),
            BeatAsync(link, news, look, end.Token),
            LookAsync(link, look, end.Token),
            CutAsync(end.Token),
            RenewalAsync(identity, end.Token),
        ];
        var first = await Task.WhenAny(loops);
        await end.CancelAsync();
        try
        {
            await Task.WhenAll(loops);
        }
        catch (OperationCanceledException)
        {
            // The others, as asked.
        }

        return await first;
    }

    private async Task<DeviceEnd> ConfigureAsync(DeviceLink link, Signal news, Signal look, CancellationToken cancellationToken)
    {
        var backOff = new BackOff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
        while (true)
        {
            // A link that is not proven yet is not asked to hold: its answer is the proof.
            var tag = settings.UsesTags ? _mark?.Tag : null;
            var hold = device.IsServed && tag is not null ? (int?)settings.Hold?.TotalSeconds : null;
            var reply = await link.GetAsync(hold is null ? RequestKind.Configuration : RequestKind.HeldConfiguration, Channel.Data, tag, hold, cancellationToken);
            device.Tell(served: reply.Status is > 0 and < 500);
            if (reply.Status == 401)
                return DeviceEnd.Refused;
            if (reply.Status == 404)
                look.Set();
            var isNew = reply.Status == 200 && Take(reply, news);
            if (reply.IsOk || reply.Status == 304)
                backOff.Reset();
            var pause = reply.IsOk || reply.Status == 304
                ? PollPace.After(isNew, hold is null ? reply.ETag is not null : reply.Took > TimeSpan.FromSeconds(1), settings)
                : backOff.Next(reply.RetryAfter);
            await Task.Delay(pause, server.Time, cancellationToken);
        }
    }

    private bool Take(Reply reply, Signal news)
    {
        DeviceConfigurationMessage wanted;
        try
        {
            var message = WireJson.Read(reply.Body.Span, WireJson.Types.Message);
            wanted = WireJson.ReadContent(message.Content, WireJson.Types.DeviceConfigurationMessage);
        }
        catch (WireFormatException)
        {
            server.Statistics.Failed(RequestKind.Configuration, "unreadable configuration");
            return false;
        }

        var mark = ConfigurationMark.Of(wanted, settings.UsesTags ? reply.ETag : null);
        if (mark == _mark)
            return false;
        IReadOnlyList<Workload> workloads = [.. (wanted.Workloads ?? []).Where(one => one.Name is not null)];
        lock (_lock)
        {
            _mark = mark;
            _configuration = wanted.Configuration;
            _workloads.Follow(workloads, Now);
            device.Holds(wanted.Version);
            _body = null;
        }

        news.Set();
        log.Configured(device, workloads);
        return true;
    }

    private async Task<DeviceEnd> BeatAsync(DeviceLink link, Signal news, Signal look, CancellationToken cancellationToken)
    {
        var backOff = new BackOff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
        // Nothing to tell before the first configuration.
        while (_mark is null)
            await news.WaitAsync(TimeSpan.FromDays(1), server.Time, cancellationToken);
        while (true)
        {
            var (message, told) = Next();
            var reply = await link.PostAsync(RequestKind.Heartbeat, message, cancellationToken);
            if (reply.Status == 401)
                return DeviceEnd.Refused;
            if (reply.Status == 404)
                look.Set();
            if (reply.IsOk)
            {
                backOff.Reset();
                Acknowledged(told);
            }

            await Task.Delay(LeastGap, server.Time, cancellationToken);
            var until = reply.IsOk ? BackOff.Around(Period(), 0.1) : backOff.Next(reply.RetryAfter);
            TimeSpan? change;
            lock (_lock)
                change = _workloads.NextChange - Now;
            if (await news.WaitAsync(Least(until - LeastGap, change), server.Time, cancellationToken))
                await Task.Delay(Together, server.Time, cancellationToken);
            Advance();
        }
    }

    private void Advance()
    {
        lock (_lock)
        {
            foreach (var (name, status) in _workloads.Advance(Now))
            {
                _body = null;
                if (status == SimulatedWorkloads.Degraded)
                    _events.Add(new DeviceEvent { Reason = "SimulatedTrouble", Message = $"{name} failed at {server.Time.GetUtcNow():O}", Type = EventTypes.Warn });
            }
        }
    }

    /// <summary>The next heartbeat and how many events are in it. One with events keeps its id until it is answered: that is how a server tells a repetition.</summary>
    private (ReadOnlyMemory<byte> Message, int Events) Next()
    {
        lock (_lock)
        {
            if (_unanswered is { } again)
                return again;
            var body = _body ?? Heartbeat();
            // What is said once goes once.
            _body = _events.Count == 0 && _introduced ? body : null;
            var next = (body.At(server.Time.GetUtcNow()), _events.Count);
            if (_events.Count > 0)
                _unanswered = next;
            return next;
        }
    }

    private MessageBody Heartbeat()
    {
        var heartbeat = new Heartbeat
        {
            Status = HeartbeatStatuses.Up,
            Version = device.Version,
            Workloads = _workloads.Statuses,
            Hardware = !_introduced && _configuration?.Heartbeat?.HardwareProfile?.Include == true ? device.Hardware : null,
            Events = _events.Count > 0 ? [.. _events] : null,
        };
        return MessageBody.Of(Message.Data(Directives.Heartbeat, WireJson.ToElement(heartbeat, WireJson.Types.Heartbeat), server.Time.GetUtcNow()));
    }

    private void Acknowledged(int events)
    {
        lock (_lock)
        {
            _introduced = true;
            _unanswered = null;
            _events.RemoveRange(0, events);
            if (events > 0)
                log.Told(events);
        }
    }

    private TimeSpan Period()
    {
        if (settings.Period is { } fixedPeriod)
            return fixedPeriod;
        var seconds = _configuration?.Heartbeat?.PeriodSeconds ?? 0;
        return seconds <= 0 ? DefaultPeriod : TimeSpan.FromSeconds(Math.Min(seconds, 86_400));
    }

    private async Task<DeviceEnd> LookAsync(DeviceLink link, Signal look, CancellationToken cancellationToken)
    {
        while (true)
        {
            await look.WaitAsync(BackOff.Around(settings.Hold is null ? settings.PollInterval : settings.ControlInterval, 0.2), server.Time, cancellationToken);
            var reply = await link.GetAsync(RequestKind.Control, Channel.Control, null, null, cancellationToken);
            if (reply.Status == 401)
                return DeviceEnd.Refused;
            if (reply.IsOk && reply.Body.Length > 0 && IsDisconnect(reply.Body.Span))
                return DeviceEnd.Disconnected;
            await Task.Delay(TimeSpan.FromSeconds(1), server.Time, cancellationToken);
        }
    }

    private static bool IsDisconnect(ReadOnlySpan<byte> body)
    {
        try
        {
            var message = WireJson.Read(body, WireJson.Types.Message);
            return message.Type == MessageTypes.Command && WireJson.ReadContent(message.Content, WireJson.Types.Command).Name == Commands.Disconnect;
        }
        catch (WireFormatException)
        {
            return false;
        }
    }

    private async Task<DeviceEnd> CutAsync(CancellationToken cancellationToken)
    {
        await _cut.Task.WaitAsync(cancellationToken);
        return DeviceEnd.LinkCut;
    }

    private async Task<DeviceEnd> RenewalAsync(Identity identity, CancellationToken cancellationToken)
    {
        var due = settings.RenewEvery is { } every
            ? BackOff.Around(every, 0.2)
            : identity.NotBefore + (BackOff.Around(identity.NotAfter - identity.NotBefore, 0.05) * (2.0 / 3)) - server.Time.GetUtcNow();
        // No timer waits longer than 49 days, and no run lasts that long.
        await Task.Delay(due < TimeSpan.Zero ? TimeSpan.Zero : due > TimeSpan.FromDays(40) ? TimeSpan.FromDays(40) : due, server.Time, cancellationToken);
        return DeviceEnd.Renewal;
    }

    private static TimeSpan Least(TimeSpan one, TimeSpan? other) => other is { } given && given < one ? given : one;
}
