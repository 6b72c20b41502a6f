using Flotta.Agent.Identities;
using Flotta.Yggdrasil.Credentials;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Enrolment;

/// <summary>
/// Renews by the clock, and at once after a 401. It looks at the clock once a minute rather than setting one long timer:
/// clocks jump, machines sleep, and timers end at 49 days. A certificate that is new is not renewed without a pause, whatever the clock and the
/// server say of it. Ends only when the server takes none of our certificates any more.
/// </summary>
internal sealed partial class RenewalLoop : IDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMinutes(1);
    private readonly IOutbound _transport;
    private readonly IdentityStore _store;
    private readonly Registration _registration;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Signal _refused = new();
    private readonly BackOff _backOff = new(TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(10));
    private readonly BackOff _refusals = new(TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(10));
    private string? _lastProblem;

    public RenewalLoop(IOutbound transport, IdentityStore store, Registration registration, ILogger<RenewalLoop> logger, TimeProvider time)
    {
        _transport = transport;
        _store = store;
        _registration = registration;
        _logger = logger;
        _time = time;
        transport.Unauthorized += OnUnauthorized;
    }

    /// <summary>Another certificate is in use from now on.</summary>
    public event Action? Renewed;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        long? renewedAt = null;
        while (true)
        {
            var present = _transport.Identity!;
            await UntilDueAsync(present, renewedAt, cancellationToken);
            while (true)
            {
                var outcome = await RenewAsync(present, cancellationToken);
                if (outcome == Outcome.Renewed)
                    break;
                if (outcome == Outcome.Rejected)
                    return;
                await Task.Delay(_backOff.Next(), _time, cancellationToken);
            }

            _backOff.Reset();
            renewedAt = _time.GetTimestamp();
        }
    }

    public void Dispose()
    {
        _transport.Unauthorized -= OnUnauthorized;
        _refused.Dispose();
    }

    private void OnUnauthorized(Identity identity)
    {
        // One that has been replaced meanwhile, or is only being tried, says nothing about the present one.
        if (ReferenceEquals(identity, _transport.Identity))
            _refused.Set();
    }

    private async Task UntilDueAsync(Identity present, long? renewedAt, CancellationToken cancellationToken)
    {
        var due = RenewalClock.Due(present.NotBefore, present.NotAfter, Random.Shared.NextDouble());
        var least = renewedAt is null ? TimeSpan.Zero : RenewalClock.NewFor(present.NotBefore, present.NotAfter);
        TimeSpan StillNew() => least - _time.GetElapsedTime(renewedAt ?? 0);
        while (true)
        {
            var left = due - _time.GetUtcNow();
            if (left < StillNew())
                left = StillNew();
            if (left > TimeSpan.Zero && !await _refused.WaitAsync(left < Look ? left : Look, _time, cancellationToken))
                continue;
            if (StillNew() > TimeSpan.Zero)
                await Task.Delay(_refusals.Next(), _time, cancellationToken);
            else
                _refusals.Reset();
            return;
        }
    }

    private async Task<Outcome> RenewAsync(Identity present, CancellationToken cancellationToken)
    {
        try
        {
            var outcome = await AskAsync(present, cancellationToken);
            // The certificate before this one may still be known where this one was lost by the server.
            if (outcome == Outcome.Rejected && _store.Previous() is { } previous)
                outcome = await AskAsync(previous, cancellationToken);
            return outcome;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Tell(exception.Message);
            return Outcome.Later;
        }
    }

    private async Task<Outcome> AskAsync(Identity asWhom, CancellationToken cancellationToken)
    {
        var (step, issued, answer) = await _registration.RunAsync(asWhom, cancellationToken);
        if (issued is not null)
        {
            _transport.Use(issued);
            Renewed?.Invoke();
            _lastProblem = null;
            return Outcome.Renewed;
        }

        Tell(step.Problem);
        return answer.Status is 401 or 403 ? Outcome.Rejected : Outcome.Later;
    }

    private void Tell(string? problem)
    {
        if (problem is not null && problem != _lastProblem)
            LogProblem(_logger, problem);
        _lastProblem = problem;
    }

    private enum Outcome
    {
        Renewed,
        Later,
        Rejected,
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "the certificate is not renewed yet: {Problem}")]
    private static partial void LogProblem(ILogger logger, string problem);
}
