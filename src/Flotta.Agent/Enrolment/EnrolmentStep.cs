using Flotta.Wire;
using Flotta.Yggdrasil.Transport;

namespace Flotta.Agent.Enrolment;

/// <summary>What an answer means for the device's standing.</summary>
/// <param name="Problem">What a person should know, when there is something.</param>
internal sealed record EnrolmentStep(EnrolmentState Next, string? Certificate = null, string? Problem = null)
{
    public static EnrolmentStep AfterEnrolment(Answer answer) => answer switch
    {
        { Problem: not null } => new(EnrolmentState.Enrolling),
        { Status: 208 } => new(EnrolmentState.Registering),
        { IsOk: true } => new(EnrolmentState.Waiting),
        { Status: 401 } => new(EnrolmentState.Enrolling, Problem: "the server does not accept the bootstrap certificate (401)"),
        { Status: 403 } => new(EnrolmentState.Enrolling, Problem: "the server does not let this certificate enrol this device (403)"),
        { Status: 429 or >= 500 } => new(EnrolmentState.Enrolling),
        _ => new(EnrolmentState.Enrolling, Problem: $"the server refuses the enrolment ({answer.Status})"),
    };

    public static EnrolmentStep AfterRegistration(Answer answer) => answer switch
    {
        { Problem: not null } => new(EnrolmentState.Registering),
        { IsOk: true } => WithCertificate(answer),
        { Status: 404 } => new(EnrolmentState.Waiting),
        { Status: 401 } => new(EnrolmentState.Enrolling, Problem: "the server does not accept the certificate for a registration (401)"),
        { Status: 403 } => new(EnrolmentState.Enrolling, Problem: "the server refuses to register this device with this key (403): delete its EdgeDeviceSignedRequest to start over"),
        { Status: 429 or >= 500 } => new(EnrolmentState.Registering),
        _ => new(EnrolmentState.Registering, Problem: $"the server refuses the registration ({answer.Status})"),
    };

    private static EnrolmentStep WithCertificate(Answer answer)
    {
        try
        {
            var response = WireJson.Read(answer.Body.Span, WireJson.Types.MessageResponse);
            var content = WireJson.ReadContent(response.Content, WireJson.Types.RegistrationResponse);
            return new(EnrolmentState.Registered, content.Certificate);
        }
        catch (WireFormatException exception)
        {
            return new(EnrolmentState.Registering, Problem: $"the answer to the registration cannot be read: {exception.Message}");
        }
    }
}
