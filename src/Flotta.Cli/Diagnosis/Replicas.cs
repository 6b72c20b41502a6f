using System.Globalization;
using System.Text.Json.Nodes;
using Flotta.Cli.Moving;
using Flotta.Resources;

namespace Flotta.Cli.Diagnosis;

/// <summary>What the Leases tell of the programs that run. Pure.</summary>
internal static class Replicas
{
    private const string Check = "leases";

    public static IEnumerable<Finding> Of(IReadOnlyList<JsonObject> leases, DateTimeOffset now)
    {
        var living = 0;
        foreach (var lease in leases)
        {
            var (name, spec) = (Document.KeyOf(lease).Name, lease["spec"]);
            var holder = Document.Text(spec?["holderIdentity"]);
            if (holder.Length == 0)
                continue;
            if (name == Pause.Name)
            {
                yield return Finding.Error(
                    Check, $"objects are being moved ({holder}), and Operator and Edge API do not begin before that is finished",
                    $"Run that command again, or give it up: kubectl -n {Names.OperatorNamespace} delete lease {Pause.Name}");
                continue;
            }

            var edge = name.StartsWith(Names.EdgeApiLeasePrefix, StringComparison.Ordinal);
            var renewed = DateTimeOffset.TryParse(Document.Text(spec?["renewTime"]), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : DateTimeOffset.MinValue;
            // Twice its time: clocks differ a little.
            if (now - renewed < 2 * TimeSpan.FromSeconds(Document.Number(spec?["leaseDurationSeconds"]) ?? 30))
                living += edge ? 1 : 0;
            else
                yield return Finding.Warning(Check, $"{holder} has not renewed {name} since {renewed:yyyy-MM-dd HH:mm} UTC: it was killed", $"Where it should run, start it; where it is gone for good: kubectl -n {Names.OperatorNamespace} delete lease {name}");
        }

        yield return living > 0
            ? Finding.Ok(Check, string.Create(CultureInfo.InvariantCulture, $"{living} Edge API {(living == 1 ? "replica is" : "replicas are")} alive"))
            : Finding.Error(Check, "no Edge API is alive: nobody answers the devices", "Start it; its log says why it does not stay");
    }
}
