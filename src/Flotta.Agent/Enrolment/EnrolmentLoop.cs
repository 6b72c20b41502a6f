using Flotta.Agent.Identities;
using Flotta.Wire;
using Flotta.Yggdrasil.Credentials;
using Flotta.Yggdrasil.Settings;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Enrolment;

/// <summary>From a bootstrap certificate to one of the device's own: enrol, wait for a person, register.</summary>
/// <param name="hold">How long a server that can may hold a waiting device's request; it answers when a person has decided. Each request is a connection of its own, and has all of the machine in it.</param>
internal sealed partial class EnrolmentLoop(
    IOutbound transport,
    IdentityStore store,
    Registration registration,
    Func<Identity> bootstrap,
    Tags tags,
    string deviceId,
    Func<HardwareInfo> hardware,
    TimeSpan hold,
    ILogger<EnrolmentLoop> logger,
    TimeProvider time)
{
    private static readonly TimeSpan BetweenHolds = TimeSpan.FromMilliseconds(200);

    // The first answer after an automatic approval should not be ten seconds away; where the server holds nothing a person's may be, as in the original.
    private readonly BackOff _backOff = new(TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(10));
    private readonly BackOff _refusedBackOff = new(TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5));
    private EnrolmentState _state = EnrolmentState.Enrolling;
    private string? _lastProblem;
    private bool _asBefore;

    public EnrolmentState State => _state;

    /// <summary>There is an identity from before.</summary>
    public void Resume() => _state = EnrolmentState.Registered;

    public void Disconnect() => Move(EnrolmentState.Disconnected);

    public async Task<Identity> RunAsync(CancellationToken cancellationToken)
    {
        Move(EnrolmentState.Enrolling);
        _backOff.Reset();
        while (true)
        {
            var pause = _backOff.Next();
            try
            {
                var (before, asked) = (_state, time.GetTimestamp());
                var (step, issued, answer) = await StepAsync(cancellationToken);
                Tell(step.Problem);
                Move(step.Next);
                if (issued is not null)
                    return issued;
                // Approved: no reason to wait.
                if (answer.Status == 208 && step.Next == EnrolmentState.Registering)
                    continue;
                // The next request is the first to be held; and one that was held for long has been enough of a pause.
                if (step.Next == EnrolmentState.Waiting && (before == EnrolmentState.Enrolling || (answer.Held && time.GetElapsedTime(asked) > hold / 2)))
                {
                    _backOff.Reset();
                    pause = BackOff.Around(BetweenHolds, 0.5);
                }

                if (step.Problem is not null)
                    pause = _refusedBackOff.Next();
                if (answer.RetryAfter is { } later && later > pause)
                    pause = _backOff.Next(later);
            }
            catch (Exception exception) when (exception is CredentialException or SettingsException or IOException or UnauthorizedAccessException)
            {
                // A bootstrap file that is being replaced, a full disk: worth another try, and worth saying.
                Tell(exception.Message);
                pause = _refusedBackOff.Next();
            }

            await Task.Delay(pause, time, cancellationToken);
        }
    }

    private async Task<(EnrolmentStep Step, Identity? Issued, Answer Answer)> StepAsync(CancellationToken cancellationToken)
    {
        if (_state == EnrolmentState.Enrolling && await AsBeforeAsync(cancellationToken) is { } again)
            return again;
        var asWhom = bootstrap();
        if (_state == EnrolmentState.Registering)
            return await registration.RunAsync(asWhom, cancellationToken);
        using var key = store.NextKey(asWhom.HasRsaKey);
        var content = new EnrolmentInfo
        {
            Features = new EnrolmentFeatures { Hardware = hardware() },
            TargetNamespace = tags.Namespace(),
            CertificateRequest = key.Request(deviceId),
        };
        var message = Message.Data(Directives.Enrolment, WireJson.ToElement(content, WireJson.Types.EnrolmentInfo), time.GetUtcNow());
        // Not the first one: a person who stands beside the device wants to be told that it waits, and for which key.
        var answer = await transport.PostAsAsync(asWhom, Channel.Data, message, cancellationToken, _state == EnrolmentState.Waiting ? hold : null);
        var step = EnrolmentStep.AfterEnrolment(answer);
        if (step.Next == EnrolmentState.Waiting && _state != EnrolmentState.Waiting)
            LogWaiting(logger, deviceId, key.Fingerprint());
        return (step, null, answer);
    }

    /// <summary>
    /// A device whose own certificate was refused asks with it every other time: the server may have been wrong for a while,
    /// and a bootstrap certificate cannot register a device that is registered.
    /// </summary>
    private async Task<(EnrolmentStep Step, Identity? Issued, Answer Answer)?> AsBeforeAsync(CancellationToken cancellationToken)
    {
        _asBefore = !_asBefore;
        if (_asBefore || store.Load() is not { } own)
            return null;
        var (step, issued, answer) = await registration.RunAsync(own, cancellationToken);
        return issued is null ? (step with { Next = EnrolmentState.Enrolling }, null, answer) : (step, issued, answer);
    }

    private void Move(EnrolmentState next)
    {
        if (next == _state)
            return;
        if (!EnrolmentTransitions.IsLegal(_state, next))
            throw new InvalidOperationException($"A device does not go from {_state} to {next}.");
        _state = next;
    }

    private void Tell(string? problem)
    {
        if (problem is not null && problem != _lastProblem)
            LogProblem(logger, problem);
        if (problem is null)
            _refusedBackOff.Reset();
        _lastProblem = problem;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "enrolment of {DeviceId} requested, waiting for approval; the key to compare is {Fingerprint}")]
    private static partial void LogWaiting(ILogger logger, string deviceId, string fingerprint);

    [LoggerMessage(Level = LogLevel.Warning, Message = "not enrolled yet: {Problem}")]
    private static partial void LogProblem(ILogger logger, string problem);
}
