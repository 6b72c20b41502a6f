using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Flotta.Cli.Moving;
using Flotta.Kube;
using Flotta.Resources;

namespace Flotta.Cli.Diagnosis;

/// <summary>What can be asked of an API server, a cluster's or the embedded one. Nothing is changed: what is written is written as a dry run.</summary>
internal sealed class ClusterChecks(KubeApi api, TimeProvider time)
{
    private static readonly KubeResource Secrets = MovedKind.Secrets.Resource;
    private static readonly KubeResource Definitions = new("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", false);
    private static readonly KubeResource Leases = new("coordination.k8s.io/v1", "Lease", "leases", true);
    private static readonly KubeResource Registrations = new("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", false);

    /// <summary>The CA, for whoever looks at what a server shows; null where there is none.</summary>
    public Pair? Ca { get; private set; }

    public async Task<IReadOnlyList<Finding>> FindAsync(CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        try
        {
            findings.Add(Clock(await api.ServerTimeAsync(cancellationToken), time.GetUtcNow()));
        }
        catch (Exception unreachable) when (unreachable is HttpRequestException or TimeoutException or KubeException or IOException)
        {
            return [Finding.Error("api-server", Failure.Explain(unreachable), "Is it running, and is the kubeconfig right?")];
        }

        await TryAsync("definitions", DefinitionsAsync);
        await TryAsync("rights", stop => Rights.FindAsync(api, stop));
        await TryAsync("certificates", CertificatesAsync);
        await TryAsync("webhooks", WebhooksAsync);
        await TryAsync("leases", LeasesAsync);
        return findings;

        async Task TryAsync(string check, Func<CancellationToken, Task<IReadOnlyList<Finding>>> find)
        {
            try
            {
                findings.AddRange(await find(cancellationToken));
            }
            catch (KubeException refused)
            {
                findings.Add(Finding.Warning(check, $"could not be looked at: {refused.Message}", "Run this as an administrator of the cluster"));
            }
        }
    }

    /// <summary>An answer says whole seconds, so a few of them are nothing.</summary>
    public static Finding Clock(DateTimeOffset? server, DateTimeOffset now)
    {
        if (server is not { } there)
            return Finding.Warning("clock", "the API server does not say what time it is", "Compare the clocks by hand");
        var off = Math.Abs((now - there).TotalSeconds);
        var what = string.Create(CultureInfo.InvariantCulture, $"this machine and the API server are {off:0} s apart");
        return off switch
        {
            < 5 => Finding.Ok("clock", what),
            < 120 => Finding.Warning("clock", what, "Run chrony or systemd-timesyncd on both"),
            _ => Finding.Error("clock", what, "Certificates are judged wrongly: run chrony or systemd-timesyncd on both"),
        };
    }

    private async Task<IReadOnlyList<Finding>> DefinitionsAsync(CancellationToken cancellationToken)
    {
        const string Apply = "flotta crds | kubectl apply --server-side --force-conflicts -f -";
        var findings = new List<Finding>();
        foreach (var (name, yaml) in DefinitionManifests.All)
        {
            var present = await api.DocumentAsync(Definitions, new("", name), cancellationToken);
            if (present is null)
            {
                findings.Add(Finding.Error("definitions", $"{name} is missing", Apply));
                continue;
            }

            if (!Document.Objects(present["status"]?["conditions"]).Any(one => Document.Text(one["type"]) == "Established" && Document.Text(one["status"]) == "True"))
                findings.Add(Finding.Error("definitions", $"{name} is not served", $"kubectl describe crd {name} says why"));
            // What would change if ours were applied now: the server counts a generation for that.
            var wanted = await api.SendTextAsync(HttpMethod.Patch, Definitions.One(new("", name)) + "?dryRun=All&fieldManager=flotta&force=true", yaml, cancellationToken, "application/apply-patch+yaml");
            if (Document.Generation(wanted) != Document.Generation(present))
                findings.Add(Finding.Warning("definitions", $"{name} is of another version than this program", Apply));
        }

        return findings.Count > 0 ? findings : [Finding.Ok("definitions", "all six are served, and are those of this version")];
    }

    private async Task<IReadOnlyList<Finding>> CertificatesAsync(CancellationToken cancellationToken)
    {
        var (server, bootstraps) = ((Pair?)null, new List<Pair>());
        await foreach (var secret in api.DocumentsAsync(Secrets, Names.OperatorNamespace, cancellationToken))
        {
            var name = Document.KeyOf(secret).Name;
            if (name == "flotta-ca")
                Ca = Read(secret, "ca");
            else if (name == "flotta-host-certificate")
                server = Read(secret, "server");
            else if (secret["metadata"]?["labels"]?[Names.Labels.RegistrationSecret] is not null)
                bootstraps.Add(Read(secret, "client"));
        }

        return [.. Certificates.Of(Ca, server, bootstraps, time.GetUtcNow())];
    }

    private async Task<IReadOnlyList<Finding>> WebhooksAsync(CancellationToken cancellationToken)
    {
        if (await api.DocumentAsync(Registrations, new("", "flotta-validating-webhook-configuration"), cancellationToken) is not { } registration)
        {
            // The embedded server checks objects by itself, and has none.
            return [Finding.Ok("webhooks", "none are registered; in a cluster that means that wrong objects are found out only when they are used")];
        }

        var secret = await api.DocumentAsync(Secrets, new(Names.OperatorNamespace, "webhook-server-cert"), cancellationToken);
        var findings = Webhooks.Certificates(registration, secret is null ? null : Value(secret, "tls.crt"), time.GetUtcNow()).ToList();
        foreach (var kind in MovedKind.Flotta.Where(kind => kind != MovedKind.Requests))
        {
            try
            {
                await api.SendDocumentAsync(HttpMethod.Post, kind.Resource.Collection(Names.EnrolmentNamespace) + "?dryRun=All", Webhooks.Probe(kind), cancellationToken);
            }
            catch (KubeException refused)
            {
                if (Webhooks.Unreached(kind.Name, refused.Message) is { } finding)
                    findings.Add(finding);
            }
        }

        return findings.Count > 0 ? findings : [Finding.Ok("webhooks", "the API server reaches them and trusts their certificate")];
    }

    private async Task<IReadOnlyList<Finding>> LeasesAsync(CancellationToken cancellationToken)
    {
        var leases = new List<JsonObject>();
        await foreach (var lease in api.DocumentsAsync(Leases, Names.OperatorNamespace, cancellationToken))
            leases.Add(lease);
        return [.. Replicas.Of(leases, time.GetUtcNow())];
    }

    private static Pair Read(JsonObject secret, string name) => new(Document.KeyOf(secret).Name, Value(secret, name + ".crt"), Value(secret, name + ".key"));

    private static string Value(JsonObject secret, string key)
    {
        var bytes = new byte[64 * 1024];
        return Convert.TryFromBase64String(Document.Text(secret["data"]?[key]), bytes, out var count) ? Encoding.UTF8.GetString(bytes, 0, count) : "";
    }
}
