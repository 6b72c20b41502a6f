using System.Text;
using Flotta.Kube;
using k8s.Models;

namespace Flotta.Operator.Admission;

/// <summary>The Secret that all replicas share; name and keys are the original's, and those that cert-manager writes.</summary>
internal sealed class WebhookSecret(KubeApi api, string @namespace)
{
    public const string Name = "webhook-server-cert";

    /// <summary>What lies there, perhaps nothing, its version and the Secret's type; null: there is no such Secret.</summary>
    public async Task<(WebhookPair? Pair, string? Version, string? Type)?> ReadAsync(CancellationToken cancellationToken)
    {
        if (await api.GetAsync<V1Secret>(new(@namespace, Name), cancellationToken) is not { } secret) return null;
        string? Text(string key) => secret.Data is { } data && data.TryGetValue(key, out var bytes) ? Encoding.UTF8.GetString(bytes) : null;
        return (Text("tls.crt") is { } certificate && Text("tls.key") is { } key ? new(certificate, key, Text("ca.crt") ?? "") : null, secret.Metadata.ResourceVersion, secret.Type);
    }

    /// <summary>False when somebody else was first. A Secret's type cannot be changed: cert-manager's is kubernetes.io/tls and stays so.</summary>
    public async Task<bool> TryWriteAsync(WebhookPair pair, string? version, string? type, CancellationToken cancellationToken)
    {
        var secret = new V1Secret
        {
            ApiVersion = "v1",
            Kind = "Secret",
            Metadata = new() { Name = Name, NamespaceProperty = @namespace, ResourceVersion = version, Labels = new Dictionary<string, string>(StringComparer.Ordinal) { ["app"] = "flotta-controller-manager" } },
            Type = type ?? "Opaque",
            Data = new Dictionary<string, byte[]>(StringComparer.Ordinal)
            {
                ["tls.crt"] = Encoding.ASCII.GetBytes(pair.CertificatePem),
                ["tls.key"] = Encoding.ASCII.GetBytes(pair.KeyPem),
                ["ca.crt"] = Encoding.ASCII.GetBytes(pair.AuthoritiesPem),
            },
        };
        try
        {
            await (version is null ? api.CreateAsync(secret, cancellationToken) : api.ReplaceAsync(secret, cancellationToken));
            return true;
        }
        catch (KubeException taken) when (taken.IsConflict)
        {
            return false;
        }
    }
}
