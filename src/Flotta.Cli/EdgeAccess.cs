using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Flotta.EdgeApi.LogStreams;
using Flotta.Kube;
using Flotta.Resources;
using k8s;
using k8s.Models;

namespace Flotta.Cli;

/// <summary>How a person reaches the Edge API, and what they show it, both found out over the Kubernetes API.</summary>
internal static class EdgeAccess
{
    public const string Reader = "flotta-log-reader";

    public static async Task<LogsClient> ConnectAsync(KubeApi kube, KubernetesClientConfiguration access, string @namespace, Uri? address, CancellationToken cancellationToken)
    {
        var info = await kube.GetAsync<V1ConfigMap>(new ObjectKey(@namespace, Names.EdgeApiInfo), cancellationToken);
        if (info?.Data is not { } data || !data.TryGetValue("ca.crt", out var pem) || pem.Length == 0)
            throw new FailureException($"there is no ConfigMap {Names.EdgeApiInfo} in the namespace {@namespace}, which the Edge API writes when it starts; is it running there? Name another namespace with --system-namespace.");
        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPem(pem);
        }
        catch (CryptographicException exception)
        {
            throw new FailureException($"the authority in the ConfigMap {Names.EdgeApiInfo} cannot be read.", exception);
        }

        return new LogsClient(address ?? AddressOf(data, new Uri(access.Host)), authorities, data.TryGetValue("server-name", out var name) ? name : "");
    }

    internal static Uri AddressOf(IDictionary<string, string> data, Uri kubernetes)
    {
        if (data.TryGetValue("port", out var text) && int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var port))
            return new UriBuilder("https", kubernetes.Host, port).Uri;
        return data.TryGetValue("url", out var given) && Uri.TryCreate(given, UriKind.Absolute, out var url) && url.Scheme == Uri.UriSchemeHttps
            ? url
            : throw new FailureException($"the ConfigMap {Names.EdgeApiInfo} does not say where the Edge API is; name it with --edge-api https://HOST:PORT.");
    }

    /// <summary>The token of the kubeconfig. Who has a certificate instead gets one of an account that may look at logs, if they may have that.</summary>
    public static async Task<string> TokenAsync(KubeApi kube, KubernetesClientConfiguration access, string @namespace, CancellationToken cancellationToken)
    {
        if (access.AccessToken is { Length: > 0 } token)
            return token;
        if (access.TokenProvider is { } provider && await provider.GetAuthenticationHeaderAsync(cancellationToken) is { Parameter: { Length: > 0 } shown })
            return shown;
        try
        {
            return (await kube.TokenAsync(new ObjectKey(@namespace, Reader), TimeSpan.FromMinutes(10), cancellationToken)).Status.Token;
        }
        catch (KubeException refused) when (refused.StatusCode is System.Net.HttpStatusCode.Forbidden or System.Net.HttpStatusCode.NotFound)
        {
            throw new FailureException(
                $"this kubeconfig has a certificate and no token, and may not ask for one of the account {@namespace}/{Reader} ({refused.Message}). Use a kubeconfig with a token, or one that may create serviceaccounts/token there.", refused);
        }
    }
}
