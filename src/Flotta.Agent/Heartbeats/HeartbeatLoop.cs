using Flotta.Agent.Desired;
using Flotta.Wire;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Heartbeats;

/// <summary>
/// Tells the server how the device is: at once when something changes, and every period with jitter when nothing does, or more rarely where the server knows
/// from a held request that the device is there.
/// </summary>
internal sealed partial class HeartbeatLoop : IDisposable
{
    private static readonly TimeSpan Together = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LeastGap = TimeSpan.FromMilliseconds(500);
    private readonly IOutbound _transport;
    private readonly DesiredState _desired;
    private readonly IWorkloads _workloads;
    private readonly EventQueue _events;
    private readonly DataStates _data;
    private readonly PlaybookReports _playbooks;
    private readonly Func<HardwareInfo> _hardware;
    private readonly HeartbeatPace _pace;
    private readonly Func<long?> _holding;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Signal _news = new();
    private readonly BackOff _backOff = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
    private HardwareInfo? _toldHardware;
    private Beat? _told;
    private TimeSpan? _quiet;
    private int _lastStatus = 200;

    public HeartbeatLoop(
        IOutbound transport,
        DesiredState desired,
        IWorkloads workloads,
        EventQueue events,
        DataStates data,
        PlaybookReports playbooks,
        Func<HardwareInfo> hardware,
        HeartbeatPace pace,
        Func<long?> holding,
        ILogger<HeartbeatLoop> logger,
        TimeProvider time)
    {
        (_transport, _desired, _workloads, _events, _data, _playbooks) = (transport, desired, workloads, events, data, playbooks);
        (_hardware, _pace, _holding, _logger, _time) = (hardware, pace, holding, logger, time);
        workloads.Changed += _news.Set;
        data.Changed += _news.Set;
        playbooks.Changed += _news.Set;
        desired.Changed += _news.Set;
        desired.Refused += OnRefused;
    }

    /// <summary>What duties have to say in each.</summary>
    public DutyFacts? Facts
    {
        get;
        init
        {
            field = value;
            value?.Changed += _news.Set;
        }
    }

    /// <summary>The server took a heartbeat: it knows us by the present identity.</summary>
    public event Action? Acknowledged;

    /// <summary>The server does not know this device (any more): control/in will say.</summary>
    public event Action? Missing;

    /// <summary>There may be something to say that is no news of workloads: a certificate has been replaced.</summary>
    public void LookNow() => _news.Set();

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
        _data.Changed -= _news.Set;
        _playbooks.Changed -= _news.Set;
        _desired.Changed -= _news.Set;
        _desired.Refused -= OnRefused;
        Facts?.Changed -= _news.Set;
        _news.Dispose();
    }

    private async Task<TimeSpan> BeatAsync(bool withHardware, CancellationToken cancellationToken)
    {
        foreach (var one in _workloads.TakeEvents())
            _events.Add(one.Reason, one.Message, one.Type);
        var waiting = _events.Peek();
        var playbooks = _playbooks.Now;
        var profile = _desired.Current?.Configuration?.Heartbeat?.HardwareProfile;
        var now = (withHardware || _toldHardware is null) && profile?.Include == true ? _hardware() : null;
        var report = Report.From(
            _desired.Current?.Version,
            _desired.Problem,
            _workloads.States,
            now is null ? null : HardwareReport.Choose(profile, _toldHardware, now),
            EventQueue.Told(waiting),
            _data.All) with { PlaybookExecutions = playbooks.Count == 0 ? null : playbooks, Upgrade = Facts?.Upgrade, Alarms = Facts?.Alarms, Deliveries = Facts?.Deliveries };
        var content = WireJson.ToElement(report, WireJson.Types.Heartbeat);
        var beat = new Beat(Beat.Digest(content), _holding(), _time.GetTimestamp(), _transport.Identity);
        if (waiting.Entries.Count == 0 && _pace.IsSaid(_told, beat, _quiet, _time))
            return BackOff.Around(Period(), 0.1);
        var message = Message.Data(Directives.Heartbeat, content, _time.GetUtcNow());
        var answer = await _transport.PostAsync(Channel.Data, message, cancellationToken);
        if (answer.IsOk || IsPoison(answer))
        {
            _events.Done(waiting);
            if (waiting.HasMore)
                _news.Set();
        }

        if (answer.IsOk)
            _playbooks.Done(playbooks);
        (_told, _quiet) = answer.IsOk ? (beat, answer.Quiet) : (null, null);
        return After(answer, now);
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
        Facts?.OnReached();
        return BackOff.Around(Period(), 0.1);
    }

    // The same body would get the same answer for ever, and keep everything after it from being told.
    private static bool IsPoison(Answer answer) => answer.Status is 400 or 413 or 422;

    private TimeSpan Period() => _pace.Period(_desired.Current?.Configuration?.Heartbeat?.PeriodSeconds ?? 0, _quiet);

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private void OnRefused(string problem)
    {
        _events.Add("ConfigurationRejected", $"The configuration is not applied, the one before stays: {problem}", EventTypes.Warn);
        _news.Set();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "the server answers {Status} to a heartbeat")]
    private static partial void LogStatus(ILogger logger, int status);
}
