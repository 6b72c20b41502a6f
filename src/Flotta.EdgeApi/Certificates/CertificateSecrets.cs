using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Flotta.Kube;
using Flotta.Resources;
using k8s.Models;

namespace Flotta.EdgeApi.Certificates;

/// <summary>A certificate and its key as they lie in a Secret, and the Secret's version.</summary>
internal sealed record StoredPair(string Name, string CertificatePem, string KeyPem, string? Version, DateTime? Created)
{
    /// <summary>Of a CA only: what earlier CAs say for later ones.</summary>
    public string BridgesPem { get; init; } = "";

    public IReadOnlyDictionary<string, string> Annotations { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public override string ToString() => Name;
}

/// <summary>The Secrets that hold our certificates. Several replicas start at once: whoever creates first wins, and the others use that.</summary>
internal sealed class CertificateSecrets(KubeApi api, string @namespace)
{
    public const string CaName = "flotta-ca";
    public const string ServerName = "flotta-host-certificate";
    public const string BootstrapPrefix = "reg-client-ca-";
    public const string BridgesKey = "bridges.crt";

    private static readonly (string Certificate, string Key) CaKeys = ("ca.crt", "ca.key");
    private static readonly (string Certificate, string Key) ServerKeys = ("server.crt", "server.key");
    private static readonly (string Certificate, string Key) BootstrapKeys = ("client.crt", "client.key");

    public Task<StoredPair> CaAsync(Func<(string Certificate, string Key)> make, CancellationToken cancellationToken) =>
        FindOrCreateAsync(CaName, CaKeys, make, cancellationToken);

    public Task<StoredPair> ServerAsync(Func<(string Certificate, string Key)> make, CancellationToken cancellationToken) =>
        FindOrCreateAsync(ServerName, ServerKeys, make, cancellationToken);

    /// <summary>Replaces the server certificate unless somebody else did meanwhile; either way returns what is there now.</summary>
    public async Task<StoredPair> RenewServerAsync(StoredPair present, (string Certificate, string Key) pair, CancellationToken cancellationToken)
    {
        try
        {
            var secret = Secret(ServerName, ServerKeys, pair);
            secret.Metadata.ResourceVersion = present.Version;
            return Read(await api.ReplaceAsync(secret, cancellationToken), ServerKeys);
        }
        catch (KubeException conflict) when (conflict.IsConflict)
        {
            return await ServerAsync(() => pair, cancellationToken);
        }
    }

    /// <summary>Changes the CA unless somebody else did meanwhile; either way returns what is there now. What else people put into the Secret stays.</summary>
    public async Task<StoredPair> ChangeCaAsync(StoredPair present, StoredPair wanted, CancellationToken cancellationToken)
    {
        var gone = present.Annotations.Keys.Except(wanted.Annotations.Keys, StringComparer.Ordinal).Select(key => KeyValuePair.Create(key, (JsonNode?)null));
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["resourceVersion"] = present.Version,
                ["annotations"] = new JsonObject(wanted.Annotations.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value)).Concat(gone)),
            },
            ["data"] = new JsonObject { [CaKeys.Certificate] = Base64(wanted.CertificatePem), [CaKeys.Key] = Base64(wanted.KeyPem), [BridgesKey] = Base64(wanted.BridgesPem) },
        };
        try
        {
            return Read(await api.MergePatchAsync<V1Secret>(new ObjectKey(@namespace, CaName), patch, cancellationToken), CaKeys);
        }
        catch (KubeException conflict) when (conflict.IsConflict)
        {
            return await api.GetAsync<V1Secret>(new ObjectKey(@namespace, CaName), cancellationToken) is { } other ? Read(other, CaKeys) : present;
        }

        static string Base64(string pem) => Convert.ToBase64String(Encoding.ASCII.GetBytes(pem));
    }

    /// <summary>All bootstrap certificates, oldest first; the order is the same for every replica.</summary>
    public async Task<IReadOnlyList<StoredPair>> BootstrapsAsync(CancellationToken cancellationToken)
    {
        var secrets = await api.ListAsync<V1Secret>(@namespace, cancellationToken, labelSelector: $"{Names.Labels.RegistrationSecret}={Names.Labels.True}");
        return
        [
            .. secrets
                .Where(secret => Has(secret, BootstrapKeys))
                .Select(secret => Read(secret, BootstrapKeys))
                .OrderBy(pair => pair.Created)
                .ThenBy(pair => pair.Name, StringComparer.Ordinal),
        ];
    }

    public async Task<StoredPair> AddBootstrapAsync(string name, (string Certificate, string Key) pair, CancellationToken cancellationToken)
    {
        var secret = Secret(name, BootstrapKeys, pair);
        secret.Metadata.Labels = new Dictionary<string, string>(StringComparer.Ordinal) { [Names.Labels.RegistrationSecret] = Names.Labels.True };
        return Read(await api.CreateAsync(secret, cancellationToken), BootstrapKeys);
    }

    public Task RemoveAsync(string name, CancellationToken cancellationToken) => api.DeleteAsync<V1Secret>(new ObjectKey(@namespace, name), cancellationToken);

    /// <summary>Ten lower-case letters and digits, as the original's names end.</summary>
    public static string NewBootstrapName() => BootstrapPrefix + RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz0123456789", 10);

    private async Task<StoredPair> FindOrCreateAsync(
        string name, (string Certificate, string Key) keys, Func<(string Certificate, string Key)> make, CancellationToken cancellationToken)
    {
        var key = new ObjectKey(@namespace, name);
        for (var attempt = 1; ; attempt++)
        {
            if (await api.GetAsync<V1Secret>(key, cancellationToken) is { } present)
                return Read(present, keys);
            try
            {
                return Read(await api.CreateAsync(Secret(name, keys, make()), cancellationToken), keys);
            }
            catch (KubeException taken) when (taken.IsConflict && attempt < 5)
            {
                // Another replica was first.
            }
            catch (KubeException missing) when (missing.IsNotFound)
            {
                throw new EdgeApiStartException($"The namespace {@namespace} does not exist; create it first (kubectl create namespace {@namespace}).", missing);
            }
        }
    }

    private V1Secret Secret(string name, (string Certificate, string Key) keys, (string Certificate, string Key) pair) => new()
    {
        ApiVersion = "v1",
        Kind = "Secret",
        Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = @namespace },
        Type = "Opaque",
        Data = new Dictionary<string, byte[]>(StringComparer.Ordinal)
        {
            [keys.Certificate] = Encoding.ASCII.GetBytes(pair.Certificate),
            [keys.Key] = Encoding.ASCII.GetBytes(pair.Key),
        },
    };

    private static bool Has(V1Secret secret, (string Certificate, string Key) keys) =>
        secret.Data?.ContainsKey(keys.Certificate) == true && secret.Data.ContainsKey(keys.Key);

    private StoredPair Read(V1Secret secret, (string Certificate, string Key) keys) => Has(secret, keys)
        ? new(
            secret.Metadata.Name,
            Encoding.UTF8.GetString(secret.Data[keys.Certificate]),
            Encoding.UTF8.GetString(secret.Data[keys.Key]),
            secret.Metadata.ResourceVersion,
            secret.Metadata.CreationTimestamp)
        {
            BridgesPem = secret.Data.TryGetValue(BridgesKey, out var bridges) ? Encoding.UTF8.GetString(bridges) : "",
            Annotations = new Dictionary<string, string>(secret.Metadata.Annotations ?? new Dictionary<string, string>(StringComparer.Ordinal), StringComparer.Ordinal),
        }
        : throw new EdgeApiStartException($"The secret {@namespace}/{secret.Metadata.Name} should have the keys {keys.Certificate} and {keys.Key}.");
}
