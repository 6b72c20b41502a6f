using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Flotta.Cli.Moving;

namespace Flotta.Cli.Diagnosis;

/// <summary>Whether the API server can ask the Operator before it takes an object. Pure.</summary>
internal static class Webhooks
{
    private const string Check = "webhooks";
    private const string Filled = "The Operator fills it in when it serves webhooks: look whether it runs, and at its log";

    /// <param name="certificatePem">What the Operator shows; null where its Secret is missing.</param>
    public static IEnumerable<Finding> Certificates(JsonObject registration, string? certificatePem, DateTimeOffset now)
    {
        var hooks = Document.Objects(registration["webhooks"]).ToList();
        var without = hooks.Where(hook => Document.Text(hook["clientConfig"]?["caBundle"]).Length == 0).ToList();
        if (without.Count > 0)
            yield return Finding.Error(Check, $"{Document.Text(without[0]["name"])} has no caBundle: every write of its kind is refused", Filled);
        if (certificatePem is null)
        {
            yield return Finding.Error(Check, "the Secret flotta/webhook-server-cert is missing", "kubectl apply -f deploy/kubernetes/operator/webhooks.yaml");
            yield break;
        }

        X509Certificate2 certificate;
        try
        {
            certificate = X509Certificate2.CreateFromPem(certificatePem);
        }
        catch (CryptographicException)
        {
            certificate = null!;
        }

        if (certificate is null)
        {
            yield return Finding.Error(Check, "the Secret flotta/webhook-server-cert holds no certificate", Filled);
            yield break;
        }

        using (certificate)
        {
            var dates = Diagnosis.Certificates.Dates("the webhooks' certificate", certificate, now, Filled);
            if (dates.Health != Health.Ok)
                yield return dates with { Check = Check };
            foreach (var hook in hooks.Except(without).Where(hook => !IsSigned(certificate, Document.Text(hook["clientConfig"]?["caBundle"]))))
                yield return Finding.Error(Check, $"the caBundle of {Document.Text(hook["name"])} is not of the authority that signed the webhooks' certificate", Filled);
        }
    }

    /// <summary>An object that nothing is wrong with, for a write that is only tried.</summary>
    public static JsonObject Probe(MovedKind kind) => new()
    {
        ["apiVersion"] = kind.Resource.ApiVersion, ["kind"] = kind.Resource.Kind,
        ["metadata"] = new JsonObject { ["name"] = "flotta-doctor-looks" },
        ["spec"] = kind.Name switch
        {
            "edgeworkloads" => JsonNode.Parse("""{"type":"pod","device":"nobody","pod":{"spec":{"containers":[{"name":"c","image":"i"}]}}}"""),
            "edgeconfigs" => JsonNode.Parse("""{"edgePlaybook":{"playbooks":[{"content":"LQ=="}]}}"""),
            "playbookexecutions" => JsonNode.Parse("""{"playbook":{"content":"LQ=="}}"""),
            _ => new JsonObject(),
        },
    };

    /// <summary>Null: the webhook was asked, whatever it said.</summary>
    public static Finding? Unreached(string kind, string refusal) => refusal.Contains("failed calling webhook", StringComparison.Ordinal)
        ? Finding.Error(Check, $"the API server cannot ask about {kind}: {refusal}", "Does the Operator run, and does the Service flotta-webhook-service lead to it?")
        : null;

    private static bool IsSigned(X509Certificate2 certificate, string bundle)
    {
        try
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPem(Encoding.UTF8.GetString(Convert.FromBase64String(bundle)));
            return Diagnosis.Certificates.IsSignedBy(certificate, authorities);
        }
        catch (Exception unreadable) when (unreadable is CryptographicException or FormatException)
        {
            return false;
        }
    }
}
