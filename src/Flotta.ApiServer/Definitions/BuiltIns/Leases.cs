using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Definitions;

internal static class Leases
{
    public static ResourceDefinition Definition { get; } = ResourceDefinition.OfServer("coordination.k8s.io", "Lease", namespaced: true) with
    {
        Normalise = (item, _) => item["spec"] ??= new JsonObject(),
        Check = Check,
        PrinterColumns = [Cells.Name, Cells.Column("Holder", "Who holds the lease."), Cells.Age],
        Cells = (item, now) => new(Cells.NameOf(item), item["spec"].TextAt("holderIdentity"), Cells.AgeOf(item, now)),
        Schema = new ObjectSchema(Models.Kind(
            "io.k8s.api.coordination.v1.Lease",
            "Lease is what someone holds for a time, to lead or to show that they live.",
            ("spec", Models.Model(
                "io.k8s.api.coordination.v1.LeaseSpec",
                "LeaseSpec says who holds the lease and until when.",
                ("acquireTime", Models.MicroTime("When the present holder took it.")),
                ("holderIdentity", Models.Text("Who holds it.")),
                ("leaseDurationSeconds", Models.Int32("How long after renewTime others must wait before they take it.")),
                ("leaseTransitions", Models.Int32("How often it went from one holder to another.")),
                ("preferredHolder", Models.Text("Who should hold it; for coordinated elections.")),
                ("renewTime", Models.MicroTime("When the holder last renewed it.")),
                ("strategy", Models.Text("How a holder is chosen; for coordinated elections.")))))),
    };

    private static IReadOnlyList<FieldError> Check(JsonObject item, JsonObject? old)
    {
        var errors = ObjectMetadata.CheckBuiltInFinalizers(item).ToList();
        if (item["spec"].At("leaseDurationSeconds").AsInteger() is <= 0 and var duration)
            errors.Add(FieldError.Invalid("spec.leaseDurationSeconds", duration, "must be greater than 0"));
        if (item["spec"].At("leaseTransitions").AsInteger() is < 0 and var transitions)
            errors.Add(FieldError.Invalid("spec.leaseTransitions", transitions, "must to greater or equal than 0"));
        return errors;
    }
}
