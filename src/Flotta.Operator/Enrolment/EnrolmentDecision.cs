using Flotta.Resources;

namespace Flotta.Operator.Enrolment;

/// <summary>Who is let in without a person.</summary>
internal sealed record ApprovalPolicy(bool Automatic, IReadOnlyList<string> Namespaces)
{
    public bool Approves(EdgeDeviceSignedRequest request) => Automatic && Namespaces.Contains(request.Spec.TargetNamespace, StringComparer.Ordinal);
}

internal enum EnrolmentStep
{
    /// <summary>Nothing but the conditions.</summary>
    Report,

    /// <summary>Set spec.approved; the rest follows when that is seen.</summary>
    Approve,

    /// <summary>Create the EdgeDevice, then report.</summary>
    Create,
}

/// <summary>What to do about an enrolment request, and what its conditions say afterwards.</summary>
internal sealed record EnrolmentDecision(EnrolmentStep Step, IReadOnlyList<EnrolmentCondition> Conditions)
{
    public const string ApprovedMessage = "device correctly approved";

    public static EnrolmentDecision For(
        EdgeDeviceSignedRequest request, bool deviceExists, bool namespaceExists, ApprovalPolicy policy, DateTimeOffset now)
    {
        var spec = request.Spec;
        if (spec.Declined == true)
            return Report(request, Names.EnrolmentConditions.Declined, Declined(request, deviceExists), now);
        if (spec.Approved != true)
        {
            return policy.Approves(request)
                ? new(EnrolmentStep.Approve, request.Status?.Conditions ?? [])
                : Report(request, Names.EnrolmentConditions.Pending, "device is waiting for approval; " + Key(request), now);
        }

        if (deviceExists) return Report(request, Names.EnrolmentConditions.Approved, ApprovedMessage, now);
        return namespaceExists
            ? new(EnrolmentStep.Create, EnrolmentConditions.Now(request, Names.EnrolmentConditions.Approved, ApprovedMessage, now))
            : Refused(request, $"the namespace '{spec.TargetNamespace}' does not exist; create it and the device is let in", now);
    }

    /// <summary>Approved, but something stands in the way: it goes on waiting, and both conditions say for what.</summary>
    public static EnrolmentDecision Refused(EdgeDeviceSignedRequest request, string why, DateTimeOffset now) =>
        new(EnrolmentStep.Report, EnrolmentConditions.Blocked(request, why, now));

    private static EnrolmentDecision Report(EdgeDeviceSignedRequest request, string type, string message, DateTimeOffset now) =>
        new(EnrolmentStep.Report, EnrolmentConditions.Now(request, type, message, now));

    private static string Declined(EdgeDeviceSignedRequest request, bool deviceExists) => deviceExists
        ? $"declined, but the device was let in before; delete the EdgeDevice {request.Spec.TargetNamespace}/{request.Metadata.Name} to remove it"
        : "declined by an administrator";

    private static string Key(EdgeDeviceSignedRequest request) => string.IsNullOrEmpty(request.Spec.KeyFingerprint)
        ? "it offered no key, so that once approved whoever holds the bootstrap certificate can register under its name"
        : $"it offered the key {request.Spec.KeyFingerprint}, and only that key can register";
}
