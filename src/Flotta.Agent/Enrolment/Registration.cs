using Flotta.Agent.Identities;
using Flotta.Wire;
using Flotta.Yggdrasil.Credentials;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Enrolment;

/// <summary>One registration, as whoever we are by then: ask, check what comes, put it on disk. Can be repeated at any point with the same key.</summary>
internal sealed partial class Registration(
    IOutbound transport,
    IdentityStore store,
    Func<Roots> roots,
    string deviceId,
    Func<HardwareInfo> hardware,
    ILogger<Registration> logger,
    TimeProvider time)
{
    public async Task<(EnrolmentStep Step, Identity? Issued, Answer Answer)> RunAsync(Identity asWhom, CancellationToken cancellationToken)
    {
        using var key = store.NextKey(asWhom.HasRsaKey);
        var content = new RegistrationInfo { Hardware = hardware(), CertificateRequest = key.Request(deviceId) };
        var message = Message.Data(Directives.Registration, WireJson.ToElement(content, WireJson.Types.RegistrationInfo), time.GetUtcNow());
        var answer = await transport.PostAsAsync(asWhom, Channel.Data, message, cancellationToken);
        var step = EnrolmentStep.AfterRegistration(answer);
        if (step.Next != EnrolmentState.Registered)
            return (step, null, answer);
        var issued = IssuedCertificate.Accept(step.Certificate, key, deviceId, roots(), out var problem);
        if (issued is null)
            return (new EnrolmentStep(EnrolmentState.Registering, Problem: problem), null, answer);
        store.Replace(key, step.Certificate!);
        LogIssued(logger, issued.NotAfter, key.Fingerprint());
        return (step, issued, answer);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "certificate received, valid until {NotAfter:u}, key {Fingerprint}")]
    private static partial void LogIssued(ILogger logger, DateTimeOffset notAfter, string fingerprint);
}
