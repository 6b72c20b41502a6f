using static Flotta.ApiServer.Protobuf.FieldType;

namespace Flotta.ApiServer.Protobuf;

/// <summary>
/// The messages that kubectl sends for built-in kinds, with the field numbers of Kubernetes' generated.proto files
/// (https://github.com/kubernetes/api, https://github.com/kubernetes/apimachinery: pkg/apis/meta/v1).
/// </summary>
internal static class KnownMessages
{
    private static readonly MessageShape OwnerReference = new(
        Text(1, "kind"), Text(3, "name"), Text(4, "uid"), Text(5, "apiVersion"), Of(6, "controller", Flag), Of(7, "blockOwnerDeletion", Flag));

    private static readonly MessageShape ObjectMeta = new(
        Text(1, "name"), Text(2, "generateName"), Text(3, "namespace"), Text(5, "uid"), Text(6, "resourceVersion"), Of(7, "generation", Number),
        Of(8, "creationTimestamp", Time), Of(9, "deletionTimestamp", Time), Of(10, "deletionGracePeriodSeconds", Number), Of(11, "labels", TextMap),
        Of(12, "annotations", TextMap), Many(13, "ownerReferences", OwnerReference), Texts(14, "finalizers"));

    private static readonly FieldShape Metadata = One(1, "metadata", ObjectMeta);

    private static readonly MessageShape ObjectReference = new(
        Text(1, "kind"), Text(2, "namespace"), Text(3, "name"), Text(4, "uid"), Text(5, "apiVersion"), Text(6, "resourceVersion"), Text(7, "fieldPath"));

    private static readonly MessageShape LabelSelector = new(
        Of(1, "matchLabels", TextMap), Many(2, "matchExpressions", new(Text(1, "key"), Text(2, "operator"), Texts(3, "values"))));

    private static readonly MessageShape PolicyRule = new(
        Texts(1, "verbs"), Texts(2, "apiGroups"), Texts(3, "resources"), Texts(4, "resourceNames"), Texts(5, "nonResourceURLs"));

    private static readonly MessageShape RoleRef = new(Text(1, "apiGroup"), Text(2, "kind"), Text(3, "name"));

    private static readonly MessageShape Subject = new(Text(1, "kind"), Text(2, "apiGroup"), Text(3, "name"), Text(4, "namespace"));

    private static readonly MessageShape Role = new(
        Metadata, Many(2, "rules", PolicyRule), One(3, "aggregationRule", new(Many(1, "clusterRoleSelectors", LabelSelector))));

    private static readonly MessageShape Binding = new(Metadata, Many(2, "subjects", Subject), One(3, "roleRef", RoleRef));

    private static readonly MessageShape Event = new(
        Metadata, One(2, "involvedObject", ObjectReference), Text(3, "reason"), Text(4, "message"), One(5, "source", new(Text(1, "component"), Text(2, "host"))),
        Of(6, "firstTimestamp", Time), Of(7, "lastTimestamp", Time), Of(8, "count", Number), Text(9, "type"), Of(10, "eventTime", MicroTime),
        One(11, "series", new(Of(1, "count", Number), Of(2, "lastObservedTime", MicroTime))), Text(12, "action"), One(13, "related", ObjectReference),
        Text(14, "reportingComponent"), Text(15, "reportingInstance"));

    private static readonly MessageShape Lease = new(
        Metadata,
        One(2, "spec", new(
            Text(1, "holderIdentity"), Of(2, "leaseDurationSeconds", Number), Of(3, "acquireTime", MicroTime), Of(4, "renewTime", MicroTime), Of(5, "leaseTransitions", Number),
            Text(6, "strategy"), Text(7, "preferredHolder"))));

    private static readonly MessageShape ResourceAttributes = new(
        Text(1, "namespace"), Text(2, "verb"), Text(3, "group"), Text(4, "version"), Text(5, "resource"), Text(6, "subresource"), Text(7, "name"));

    private static readonly MessageShape Asked = new(One(1, "resourceAttributes", ResourceAttributes), One(2, "nonResourceAttributes", new(Text(1, "path"), Text(2, "verb"))));

    private static readonly MessageShape SubjectAccess = new(
        Metadata,
        One(2, "spec", new(
            One(1, "resourceAttributes", ResourceAttributes), One(2, "nonResourceAttributes", new(Text(1, "path"), Text(2, "verb"))), Text(3, "user"), Texts(4, "groups"), Text(6, "uid"))));

    private static readonly Dictionary<(string ApiVersion, string Kind), MessageShape> Kinds = new()
    {
        [("v1", "ConfigMap")] = new(Metadata, Of(2, "data", TextMap), Of(3, "binaryData", BytesMap), Of(4, "immutable", Flag)),
        [("v1", "Secret")] = new(Metadata, Of(2, "data", BytesMap), Text(3, "type"), Of(4, "stringData", TextMap), Of(5, "immutable", Flag)),
        [("v1", "Namespace")] = new(Metadata, One(2, "spec", new(Texts(1, "finalizers"))), One(3, "status", new(Text(1, "phase")))),
        [("v1", "ServiceAccount")] = new(
            Metadata, Many(2, "secrets", ObjectReference), Many(3, "imagePullSecrets", new(Text(1, "name"))), Of(4, "automountServiceAccountToken", Flag)),
        [("v1", "Event")] = Event,
        [("v1", "DeleteOptions")] = new(
            Of(1, "gracePeriodSeconds", Number), One(2, "preconditions", new(Text(1, "uid"), Text(2, "resourceVersion"))), Of(3, "orphanDependents", Flag),
            Text(4, "propagationPolicy"), Texts(5, "dryRun")),
        [("coordination.k8s.io/v1", "Lease")] = Lease,
        [("rbac.authorization.k8s.io/v1", "Role")] = Role,
        [("rbac.authorization.k8s.io/v1", "ClusterRole")] = Role,
        [("rbac.authorization.k8s.io/v1", "RoleBinding")] = Binding,
        [("rbac.authorization.k8s.io/v1", "ClusterRoleBinding")] = Binding,
        [("authorization.k8s.io/v1", "SelfSubjectAccessReview")] = new(Metadata, One(2, "spec", Asked)),
        [("authorization.k8s.io/v1", "SubjectAccessReview")] = SubjectAccess,
        [("authorization.k8s.io/v1", "LocalSubjectAccessReview")] = SubjectAccess,
        [("authorization.k8s.io/v1", "SelfSubjectRulesReview")] = new(Metadata, One(2, "spec", new(Text(1, "namespace")))),
        [("authentication.k8s.io/v1", "SelfSubjectReview")] = new(Metadata),
        [("authentication.k8s.io/v1", "TokenReview")] = new(Metadata, One(2, "spec", new(Text(1, "token"), Texts(2, "audiences")))),
        [("authentication.k8s.io/v1", "TokenRequest")] = new(
            Metadata,
            One(2, "spec", new(
                Texts(1, "audiences"), One(3, "boundObjectRef", new(Text(1, "kind"), Text(2, "apiVersion"), Text(3, "name"), Text(4, "uid"))), Of(4, "expirationSeconds", Number)))),
    };

    public static MessageShape? Find(string apiVersion, string kind) =>
        Kinds.GetValueOrDefault((apiVersion, kind)) ?? (kind == "DeleteOptions" ? Kinds[("v1", kind)] : null);

    private static FieldShape Of(int number, string name, FieldType type) => new(number, name, type);

    private static FieldShape Text(int number, string name) => new(number, name, FieldType.Text);

    private static FieldShape Texts(int number, string name) => new(number, name, FieldType.Text, Repeated: true);

    private static FieldShape One(int number, string name, MessageShape message) => new(number, name, Message, Message: message);

    private static FieldShape Many(int number, string name, MessageShape message) => new(number, name, Message, Repeated: true, message);
}
