namespace Flotta.Agent.Enrolment;

/// <summary>Where a device stands with its server.</summary>
internal enum EnrolmentState
{
    /// <summary>Asks to be let in.</summary>
    Enrolling,

    /// <summary>The request is recorded; a person has to approve it.</summary>
    Waiting,

    /// <summary>Approved; asks for its certificate.</summary>
    Registering,

    /// <summary>Has a certificate, and renews it by the clock. Mostly nothing happens here.</summary>
    Registered,

    /// <summary>Sent away: does nothing until it is started again.</summary>
    Disconnected,
}

internal static class EnrolmentTransitions
{
    public static bool IsLegal(EnrolmentState from, EnrolmentState to) => (from, to) switch
    {
        (EnrolmentState.Enrolling, EnrolmentState.Waiting or EnrolmentState.Registering) => true,
        // A certificate that was refused for a while is taken again.
        (EnrolmentState.Enrolling, EnrolmentState.Registered) => true,
        (EnrolmentState.Waiting, EnrolmentState.Registering or EnrolmentState.Enrolling) => true,
        // Approval may be taken back between the two questions.
        (EnrolmentState.Registering, EnrolmentState.Registered or EnrolmentState.Waiting or EnrolmentState.Enrolling) => true,
        // The server no longer takes its certificate, not even for the next one.
        (EnrolmentState.Registered, EnrolmentState.Enrolling or EnrolmentState.Disconnected) => true,
        _ => false,
    };
}
