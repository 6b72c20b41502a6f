using Flotta.Agent.Desired;
using Flotta.Wire;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Heartbeats;

/// <summary>Tells the server how the device is: at once when something changes, and every period with jitter when nothing does.</summary>
internal sealed partial class HeartbeatLoop : IDisposable
{
    private static readonly TimeSpan Together = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LeastGap = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan DefaultPeriod = TimeSpan.FromSeconds(60);
    private readonly HttpsTransport _transport;
    private readonly DesiredState _desired;
    private readonly IWorkloads _workloads;
    private readonly EventQueue _events;
    private readonly Func<HardwareInfo> _hardware;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Signal _news = new();
    private readonly BackOff _backOff = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
    private HardwareInfo? _toldHardware;
    private int _lastStatus = 200;

    public HeartbeatLoop(
        HttpsTransport transport,
        DesiredState desired,
        IWorkloads workloads,
        EventQueue events,
        Func<HardwareInfo> hardware,
        ILogger<HeartbeatLoop> logger,
        TimeProvider time)
    {
        (_transport, _desired, _workloads, _events, _hardware, _logger, _time) = (transport, desired, workloads, events, hardware, logger, time);
        workloads.Changed += _news.Set;
        desired.Changed += _news.Set;
        desired.Refused += OnRefused;
    }

    /// <summary>The server took a heartbeat: it knows us by the present identity.</summary>
    public event Action? Acknowledged;

    /// <summary>The server does not know this device (any more): control/in will say.</summary>
    public event Action? Missing;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // The first one introduces us, with the hardware if that is wanted.
        var onTheClock = true;
        while (true)
        {
            var pause = await BeatAsync(onTheClock, cancellationToken);
            await Task.Delay(LeastGap, _time, cancellationToken);
            onTheClock = !await _news.WaitAsync(pause - LeastGap, _time, cancellationToken);
            if (!onTheClock)
                await Task.Delay(Together, _time, cancellationToken);
        }
    }

    public void Dispose()
    {
        _workloads.Changed -= _news.Set;
        _desired.Changed -= _news.Set;
        _desired.Refused -= OnRefused;
        _news.Dispose();
    }

    private async Task<TimeSpan> BeatAsync(bool withHardware, CancellationToken cancellationToken)
    {
        var own = _events.Take();
        var ofWorkloads = _workloads.TakeEvents();
        var profile = _desired.Current?.Configuration?.Heartbeat?.HardwareProfile;
        var now = (withHardware || _toldHardware is null) && profile?.Include == true ? _hardware() : null;
        var report = Report.From(
            _desired.Current?.Version,
            _desired.Problem,
            _workloads.States,
            now is null ? null : HardwareReport.Choose(profile, _toldHardware, now),
            [.. own, .. ofWorkloads.Select(one => new DeviceEvent { Reason = one.Reason, Message = one.Message, Type = one.Type })]);
        var message = Message.Data(Directives.Heartbeat, WireJson.ToElement(report, WireJson.Types.Heartbeat), _time.GetUtcNow());
        var answered = false;
        try
        {
            var answer = await _transport.PostAsync(Channel.Data, message, cancellationToken);
            answered = answer.IsOk || IsPoison(answer);
            return After(answer, now);
        }
        finally
        {
            // Also when we are told to stop in the middle of it.
            if (!answered)
            {
                _events.Return(own);
                _workloads.ReturnEvents(ofWorkloads);
            }
        }
    }

    private TimeSpan After(Answer answer, HardwareInfo? told)
    {
        if (answer.Problem is null && answer.Status != _lastStatus)
        {
            _lastStatus = answer.Status;
            if (!answer.IsOk)
                LogStatus(_logger, answer.Status);
        }

        if (answer.Status == 404)
            Missing?.Invoke();
        if (!answer.IsOk)
            return Min(_backOff.Next(answer.RetryAfter), Period());
        _backOff.Reset();
        _toldHardware = told ?? _toldHardware;
        Acknowledged?.Invoke();
        return BackOff.Around(Period(), 0.1);
    }

    // The same body would get the same answer for ever, and keep everything after it from being told.
    private static bool IsPoison(Answer answer) => answer.Status is 400 or 413 or 422;

    private TimeSpan Period()
    {
        var seconds = _desired.Current?.Configuration?.Heartbeat?.PeriodSeconds ?? 0;
        return seconds <= 0 ? DefaultPeriod : TimeSpan.FromSeconds(Math.Min(seconds, 86_400));
    }

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private void OnRefused(string problem)
    {
        _events.Add("ConfigurationRejected", $"The configuration is not applied, the one before stays: {problem}", EventTypes.Warn);
        _news.Set();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "the server answers {Status} to a heartbeat")]
    private static partial void LogStatus(ILogger logger, int status);
}
