using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography;
using Flotta.Yggdrasil.Credentials;

namespace Flotta.Agent.Metrics;

/// <summary>What became of one request.</summary>
internal enum Verdict
{
    Taken,

    /// <summary>Later it may be: nobody there, too busy, or set up wrongly.</summary>
    Later,

    /// <summary>This content never will be.</summary>
    Refused,
}

internal sealed record Delivery(Verdict Verdict, string? Problem = null, TimeSpan? RetryAfter = null)
{
    /// <summary>
    /// A pure function. 400, 409, 413 and 422 judge the content; every other 4xx says that the address or our rights are wrong, which dropping
    /// samples would not mend.
    /// </summary>
    public static Verdict Of(HttpStatusCode status) => (int)status switch
    {
        >= 200 and < 300 => Verdict.Taken,
        400 or 409 or 413 or 422 => Verdict.Refused,
        _ => Verdict.Later,
    };
}

/// <summary>Where samples go. Tests have no Prometheus.</summary>
internal interface IReceiver
{
    Task<Delivery> SendAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken);
}

/// <summary>Prometheus remote write over HTTP, with the CA that the configuration names, or the system's.</summary>
internal sealed class RemoteWrite : IReceiver, IDisposable
{
    private readonly Uri _url;
    private readonly TimeSpan _deadline;
    private readonly TimeProvider _time;
    private readonly HttpClient _http;

    /// <exception cref="FormatException">The URL is none.</exception>
    /// <exception cref="CredentialException">The CA is none.</exception>
    public RemoteWrite(string url, string? ca, TimeSpan deadline, TimeProvider time)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var parsed) || parsed.Scheme is not ("http" or "https"))
            throw new FormatException("the receiver's url is not an http or https URL");
        (_url, _deadline, _time) = (parsed, deadline, time);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            MaxResponseHeadersLength = 16,
            ActivityHeadersPropagator = null,
        };
        if (parsed.Scheme == "https" && !string.IsNullOrWhiteSpace(ca))
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = Authorities(ca).ForServers() };
        _http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    public async Task<Delivery> SendAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(_deadline, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            using var content = new ReadOnlyMemoryContent(request);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/x-protobuf");
            content.Headers.ContentEncoding.Add("snappy");
            using var message = new HttpRequestMessage(HttpMethod.Post, _url) { Content = content };
            message.Headers.TryAddWithoutValidation("User-Agent", DeviceAgent.UserAgent);
            message.Headers.TryAddWithoutValidation("X-Prometheus-Remote-Write-Version", "0.1.0");
            // The body is not read: nobody asked for it, and it may be of any size.
            using var answer = await _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, either.Token);
            var verdict = Delivery.Of(answer.StatusCode);
            return new Delivery(verdict, verdict == Verdict.Taken ? null : $"it answers {(int)answer.StatusCode}", RetryAfter(answer));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new Delivery(Verdict.Later, $"no answer within {_deadline.TotalSeconds:0} s");
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            return new Delivery(Verdict.Later, Innermost(exception).Message);
        }
    }

    public void Dispose() => _http.Dispose();

    private TimeSpan? RetryAfter(HttpResponseMessage answer) =>
        answer.Headers.RetryAfter is not { } asked ? null : asked.Delta ?? (asked.Date is { } date ? date - _time.GetUtcNow() : null);

    private static Roots Authorities(string ca)
    {
        try
        {
            return Roots.FromPem(ca);
        }
        catch (CryptographicException exception)
        {
            throw new CredentialException("the receiver's CA cannot be read", exception);
        }
    }

    private static Exception Innermost(Exception exception) => exception.InnerException is { } inner ? Innermost(inner) : exception;
}
