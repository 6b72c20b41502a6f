using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace Flotta.Agent.Workloads;

/// <summary>Asks once. The answer is null when all is well, else one line that says what is not.</summary>
internal sealed class ProbeCall(PodmanClient podman, TimeProvider time) : IDisposable
{
    // Made with the first probe over HTTP; a device without one has none.
    private readonly Lazy<HttpClient> _http = new(() => new HttpClient(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        PooledConnectionLifetime = TimeSpan.Zero,
        ConnectTimeout = TimeSpan.FromSeconds(60),
        // As the kubelet: a probe asks whether it answers, not who it is.
        SslOptions = { RemoteCertificateValidationCallback = static (_, _, _, _) => true },
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    });

    /// <param name="host">Where the pod's ports are; null when nothing of them is reached from here.</param>
    public async Task<string?> AskAsync(ContainerProbe probe, string container, string? host, CancellationToken cancellationToken)
    {
        using var limit = new Deadline(probe.Timeout, time, cancellationToken);
        try
        {
            return probe.Action switch
            {
                ProbeAction.Exec exec => await podman.ExecAsync(container, exec.Command, limit.Token) is var code and not 0 ? string.Create(CultureInfo.InvariantCulture, $"its command ended with code {code}") : null,
                ProbeAction.Http http when (http.Host ?? host) is { } where => await AskAsync(http, where, limit.Token),
                ProbeAction.Tcp tcp when (tcp.Host ?? host) is { } where => await ConnectAsync(where, tcp.Port, limit.Token),
                _ => "the pod has no address that is reached from the host",
            };
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return string.Create(CultureInfo.InvariantCulture, $"no answer within {probe.Timeout.TotalSeconds:0} s");
        }
        catch (Exception exception) when (exception is HttpRequestException or SocketException or IOException or PodmanException { Unreachable: false })
        {
            return PodmanSocket.OneLine(exception.Message);
        }
    }

    public void Dispose()
    {
        if (_http.IsValueCreated)
            _http.Value.Dispose();
    }

    private async Task<string?> AskAsync(ProbeAction.Http http, string host, CancellationToken cancellationToken)
    {
        var address = new UriBuilder(http.Secure ? "https" : "http", host, http.Port).Uri;
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, http.Path));
        request.Headers.ConnectionClose = true;
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("flotta-agent", "probe"));
        foreach (var (name, value) in http.Headers)
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await _http.Value.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        return (int)response.StatusCode is >= 200 and < 400 ? null : string.Create(CultureInfo.InvariantCulture, $"it answers with {(int)response.StatusCode}");
    }

    private static async Task<string?> ConnectAsync(string host, int port, CancellationToken cancellationToken)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(host, port, cancellationToken);
        return null;
    }
}
