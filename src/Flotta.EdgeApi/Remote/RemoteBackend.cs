using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Flotta.EdgeApi.Certificates;
using Flotta.Kube;
using Flotta.Wire;

namespace Flotta.EdgeApi.Remote;

internal enum RemoteRegistration
{
    Unknown,
    Registered,
    Unregistered,
}

/// <summary>The backend answered, but not as it should.</summary>
internal sealed class RemoteException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// The Edge Configuration API (docs/protocol/remote-backend.json). Over https our own server certificate is shown, and the backend's may be signed by our CA as well as by a
/// public one. What can be repeated without harm is repeated; everything else the device itself repeats.
/// </summary>
internal sealed class RemoteBackend : IDisposable
{
    public const string Prefix = "api/flotta-backend/v1/";
    private const int LargestAnswer = 4 * 1024 * 1024;
    private static readonly TimeSpan LongTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan[] BetweenAttempts = [TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(150)];

    private readonly HttpClient http;
    private readonly TimeSpan timeout;
    private readonly TimeProvider time;

    public RemoteBackend(RemoteOptions options, Func<AuthorityState> authority, TimeProvider time)
    {
        (timeout, this.time) = (options.Timeout, time);
        http = new HttpClient(new SocketsHttpHandler
        {
            // Renewed certificates are shown, and looked at, from the next connection on.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            ConnectTimeout = TimeSpan.FromSeconds(5),
            AllowAutoRedirect = false,
            UseCookies = false,
            SslOptions = new SslClientAuthenticationOptions
            {
                LocalCertificateSelectionCallback = (_, _, _, _, _) => authority().Server,
                RemoteCertificateValidationCallback = (_, certificate, chain, errors) => IsTrusted(certificate, chain, errors, authority().Trusted),
            },
        })
        {
            BaseAddress = new Uri(options.Address, Prefix),
            Timeout = Timeout.InfiniteTimeSpan,
            MaxResponseContentBufferSize = LargestAnswer,
        };
    }

    public async Task<(RemoteRegistration Status, string? Namespace)> RegistrationAsync(ObjectKey device, CancellationToken cancellationToken)
    {
        var answer = await SendAsync(HttpMethod.Get, device, "registration", null, timeout, cancellationToken);
        var root = Read(answer);
        var status = Text(root, "status") switch
        {
            "registered" => RemoteRegistration.Registered,
            "unregistered" => RemoteRegistration.Unregistered,
            _ => RemoteRegistration.Unknown,
        };
        return (status, Text(root, "namespace"));
    }

    /// <summary>A device-configuration-message as JSON.</summary>
    public async Task<byte[]> ConfigurationAsync(ObjectKey device, CancellationToken cancellationToken)
    {
        var root = Read(await SendAsync(HttpMethod.Get, device, "configuration", null, timeout, cancellationToken));
        if (!root.TryGetProperty("device-configuration", out var configuration) || configuration.ValueKind != JsonValueKind.Object)
            throw new RemoteException("the backend's answer has no device-configuration");
        return Checked(configuration, WireJson.Types.DeviceConfigurationMessage);
    }

    /// <summary>True where the device is known already.</summary>
    public async Task<bool> EnrolAsync(ObjectKey device, byte[] info, CancellationToken cancellationToken) =>
        (await SendAsync(HttpMethod.Post, device, "enrolment", info, timeout, cancellationToken)).Status != HttpStatusCode.Created;

    public Task RegisterAsync(ObjectKey device, byte[] info, CancellationToken cancellationToken) => SendAsync(HttpMethod.Put, device, "registration", info, timeout, cancellationToken);

    public Task BeatAsync(ObjectKey device, byte[] heartbeat, CancellationToken cancellationToken) => SendAsync(HttpMethod.Put, device, "heartbeat", heartbeat, timeout, cancellationToken);

    public async Task<string> PlaybooksAsync(ObjectKey device, CancellationToken cancellationToken)
    {
        var root = Read(await SendAsync(HttpMethod.Get, device, "playbookexecutions", null, timeout > LongTimeout ? timeout : LongTimeout, cancellationToken));
        if (root.ValueKind == JsonValueKind.Null)
            return "[]";
        try
        {
            var tasks = root.Deserialize(WireJson.Types.IReadOnlyListPlaybookTask) ?? [];
            return JsonSerializer.Serialize(tasks, WireJson.Types.IReadOnlyListPlaybookTask);
        }
        catch (JsonException malformed)
        {
            throw new RemoteException("the backend's playbooks cannot be read", malformed);
        }
    }

    public void Dispose() => http.Dispose();

    private readonly record struct Reply(HttpStatusCode Status, byte[] Body);

    private async Task<Reply> SendAsync(HttpMethod method, ObjectKey device, string what, byte[]? body, TimeSpan most, CancellationToken cancellationToken)
    {
        // A POST might have been heard although its answer was not.
        var attempts = method == HttpMethod.Post ? 0 : BetweenAttempts.Length;
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await SendOnceAsync(method, device, what, body, most, cancellationToken);
            }
            catch (RemoteException) when (attempt < attempts)
            {
                await Task.Delay(BetweenAttempts[attempt], time, cancellationToken);
            }
        }
    }

    private async Task<Reply> SendOnceAsync(HttpMethod method, ObjectKey device, string what, byte[]? body, TimeSpan most, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, $"namespaces/{Uri.EscapeDataString(device.Namespace)}/devices/{Uri.EscapeDataString(device.Name)}/{what}");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (body != null)
            request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        using var patience = new CancellationTokenSource(most, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            using var response = await http.SendAsync(request, both.Token);
            return response.IsSuccessStatusCode
                ? new(response.StatusCode, await response.Content.ReadAsByteArrayAsync(both.Token))
                : throw new RemoteException($"the backend answered {method} {what} with {(int)response.StatusCode}");
        }
        catch (HttpRequestException failed)
        {
            throw new RemoteException($"the backend could not be asked: {failed.Message}", failed);
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RemoteException($"the backend did not answer {method} {what} in time", late);
        }
    }

    private static JsonElement Read(Reply reply)
    {
        try
        {
            using var document = JsonDocument.Parse(reply.Body, new JsonDocumentOptions { MaxDepth = WireJson.MaxDepth });
            return document.RootElement.Clone();
        }
        catch (JsonException malformed)
        {
            throw new RemoteException("the backend's answer is not JSON", malformed);
        }
    }

    // Passed on as the backend wrote it, once it is known to be what devices can read.
    private static byte[] Checked<T>(JsonElement element, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class, new()
    {
        try
        {
            WireJson.ReadContent(element, type);
            return System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(element).ToArray();
        }
        catch (WireFormatException malformed)
        {
            throw new RemoteException("the backend's configuration cannot be read", malformed);
        }
    }

    private static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String ? text.GetString() : null;

    private static bool IsTrusted(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors, TrustedAuthorities ours)
    {
        if (errors == SslPolicyErrors.None)
            return true;
        if (errors != SslPolicyErrors.RemoteCertificateChainErrors || certificate is not X509Certificate2 leaf)
            return false;
        using var again = new X509Chain();
        again.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        again.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        again.ChainPolicy.DisableCertificateDownloads = true;
        again.ChainPolicy.CustomTrustStore.AddRange(ours.Authorities.ToArray());
        if (chain != null)
            again.ChainPolicy.ExtraStore.AddRange(chain.ChainPolicy.ExtraStore);
        return again.Build(leaf);
    }
}
