using Flotta.Resources;

namespace Flotta.Operator.Enrolment;

internal static class NewDevice
{
    public static EdgeDevice For(EdgeDeviceSignedRequest request, DateTimeOffset now)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal) { [Names.Labels.SignedRequest] = Names.Labels.True };
        if (!string.IsNullOrEmpty(request.Spec.TargetSet)) labels[Names.Labels.MemberOf] = request.Spec.TargetSet;
        return new()
        {
            Metadata = new()
            {
                Name = request.Metadata.Name,
                NamespaceProperty = request.Spec.TargetNamespace,
                Labels = labels,
                Finalizers = [Names.Finalizers.Device],
            },
            Spec = new() { RequestTime = now },
        };
    }
}
