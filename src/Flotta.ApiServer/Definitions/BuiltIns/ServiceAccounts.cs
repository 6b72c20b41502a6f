namespace Flotta.ApiServer.Definitions;

internal static class ServiceAccounts
{
    public static ResourceDefinition Definition { get; } = ResourceDefinition.OfServer("", "ServiceAccount", namespaced: true) with
    {
        ShortNames = ["sa"],
        Subresources = [new ServedSubresource("token", "authentication.k8s.io", "v1", "TokenRequest", ["create"])],
        Check = (item, _) => [.. ObjectMetadata.CheckBuiltInFinalizers(item)],
        PrinterColumns = [Cells.Name, Cells.Column("Secrets", "How many secrets it may use."), Cells.Age],
        Cells = (item, now) => new(Cells.NameOf(item), Cells.Count(item["secrets"]), Cells.AgeOf(item, now)),
        Schema = new ObjectSchema(Models.Kind(
            "io.k8s.api.core.v1.ServiceAccount",
            "ServiceAccount is an identity for programs, with what they need to prove it.",
            ("automountServiceAccountToken", Models.Flag("Whether pods of this account get a token mounted.")),
            ("imagePullSecrets", Models.List(
                Models.Model(
                    "io.k8s.api.core.v1.LocalObjectReference",
                    "LocalObjectReference names an object in the same namespace.",
                    atomic: true,
                    ("name", Models.Text("Name of the object."))),
                "Secrets to pull images with.", listType: "atomic")),
            ("secrets", Models.List(Models.ObjectReference, "Secrets that pods of this account may use.", "name")))),
    };
}
