using System.Text;
using System.Text.Json.Nodes;
using Flotta.Kube;
using k8s.Models;

namespace Flotta.Operator.Admission;

/// <summary>Our ValidatingWebhookConfiguration: whom the API server asks, and by which authorities it knows him.</summary>
internal sealed class WebhookRegistration(KubeApi api)
{
    public const string Name = "flotta-validating-webhook-configuration";

    /// <summary>Lets every webhook in it trust these authorities. False: there is no such configuration, and nobody asks us.</summary>
    public async Task<bool> TrustAsync(string authoritiesPem, CancellationToken cancellationToken)
    {
        var key = new ObjectKey("", Name);
        if (await api.GetAsync<V1ValidatingWebhookConfiguration>(key, cancellationToken) is not { } present) return false;
        var bundle = Encoding.ASCII.GetBytes(authoritiesPem);
        var patch = new JsonArray();
        foreach (var (webhook, index) in (present.Webhooks ?? []).Select((webhook, index) => (webhook, index)))
        {
            if (webhook.ClientConfig.CaBundle is not { } known || !known.AsSpan().SequenceEqual(bundle))
                patch.Add((JsonNode)new JsonObject { ["op"] = "add", ["path"] = $"/webhooks/{index}/clientConfig/caBundle", ["value"] = Convert.ToBase64String(bundle) });
        }

        if (patch.Count == 0) return true;
        // Somebody may have changed the order since.
        patch.Insert(0, new JsonObject { ["op"] = "test", ["path"] = "/metadata/resourceVersion", ["value"] = present.Metadata.ResourceVersion });
        await api.JsonPatchAsync<V1ValidatingWebhookConfiguration>(key, patch, cancellationToken);
        return true;
    }
}
