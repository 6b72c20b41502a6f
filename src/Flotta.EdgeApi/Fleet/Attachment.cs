using Flotta.Kube;

namespace Flotta.EdgeApi.Fleet;

internal enum AttachmentKind
{
    Secret,
    ConfigMap,
}

/// <summary>A Secret or ConfigMap that a device's configuration refers to.</summary>
internal readonly record struct Attachment(AttachmentKind Kind, string Namespace, string Name)
{
    public ObjectKey Key => new(Namespace, Name);

    public override string ToString() => $"{Kind}/{Namespace}/{Name}";
}
