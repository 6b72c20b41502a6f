using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Flotta.Wire;
using Flotta.Yggdrasil.Credentials;
using Microsoft.Extensions.Logging;

namespace Flotta.Yggdrasil.Transport;

/// <summary>
/// The four endpoints of one device over mutual TLS 1.3. Requests are streams of one HTTP/2 connection, so none waits behind another;
/// <see cref="Use"/> puts another identity in place while requests under way finish on the old one.
/// </summary>
public sealed class HttpsTransport : IDisposable
{
    private readonly TransportOptions _options;
    private readonly TimeProvider _time;
    private readonly Reachability _reachability;
    private readonly Lock _lock = new();
    private Line? _line;
    private volatile string? _tlsProblem;

    public HttpsTransport(TransportOptions options, ILogger<HttpsTransport> logger, TimeProvider time)
    {
        _options = options;
        _time = time;
        _reachability = new Reachability(options.Address.Server, logger);
    }

    /// <summary>The server did not accept this identity (401).</summary>
    public event Action<Identity>? Unauthorized;

    public Identity? Identity => _line?.Identity;

    public void Use(Identity identity)
    {
        lock (_lock)
        {
            _line?.Retire();
            _line = Open(identity);
        }
    }

    /// <summary>New connections for the same identity: after a silence that may be a dead connection's, or when the server asks for it.</summary>
    public void Renew() => Renew(_line);

    /// <param name="hold">Ask the server to hold the request this long while its answer would be what <paramref name="tag"/> names.</param>
    public Task<Answer> GetAsync(Channel channel, string? tag, TimeSpan? hold, CancellationToken cancellationToken)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, _options.Address.In(channel));
        if (tag is not null && EntityTagHeaderValue.TryParse(tag, out var entityTag))
            request.Headers.IfNoneMatch.Add(entityTag);
        if (hold is { } wait)
            request.Headers.TryAddWithoutValidation("Prefer", $"wait={(int)wait.TotalSeconds}");
        return SendAsync(request, Current(), hold ?? TimeSpan.Zero, cancellationToken);
    }

    public Task<Answer> PostAsync(Channel channel, Message message, CancellationToken cancellationToken) =>
        SendAsync(Post(channel, message), Current(), TimeSpan.Zero, cancellationToken);

    /// <summary>One request as somebody else: enrolling with the bootstrap certificate, or asking again with the one before the last.</summary>
    public async Task<Answer> PostAsAsync(Identity identity, Channel channel, Message message, CancellationToken cancellationToken)
    {
        var line = Open(identity);
        try
        {
            return await SendAsync(Post(channel, message), line, TimeSpan.Zero, cancellationToken);
        }
        finally
        {
            line.Retire();
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _line?.Retire();
            _line = null;
        }
    }

    private HttpRequestMessage Post(Channel channel, Message message)
    {
        var content = new ByteArrayContent(WireJson.Write(message, WireJson.Types.Message));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return new HttpRequestMessage(HttpMethod.Post, _options.Address.Out(channel)) { Content = content };
    }

    private Line Current() => _line ?? throw new InvalidOperationException("No identity has been put to use yet.");

    private async Task<Answer> SendAsync(HttpRequestMessage request, Line line, TimeSpan extra, CancellationToken cancellationToken)
    {
        using var message = request;
        while (!line.TryEnter())
            line = Current();
        var timedOut = false;
        try
        {
            using var timeout = new CancellationTokenSource(_options.RequestTimeout + extra, _time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
            Answer answer;
            try
            {
                answer = await ExchangeAsync(message, line.Invoker, either.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                timedOut = timeout.IsCancellationRequested;
                answer = Answer.None("it does not answer in time");
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException or AuthenticationException)
            {
                answer = Answer.None(Describe(exception));
            }

            _reachability.Note(answer);
            if (answer.Status == 401)
                Unauthorized?.Invoke(line.Identity);
            return answer;
        }
        finally
        {
            line.Leave();
            // What does not answer may be a connection that only we believe in.
            if (timedOut)
                Renew(line);
        }
    }

    private async Task<Answer> ExchangeAsync(HttpRequestMessage request, HttpMessageInvoker invoker, CancellationToken cancellationToken)
    {
        request.Version = HttpVersion.Version20;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionOrLower;
        request.Headers.TryAddWithoutValidation("User-Agent", _options.UserAgent);
        using var response = await invoker.SendAsync(request, cancellationToken);
        var body = await BoundedBody.ReadAsync(response.Content, _options.LargestBody, cancellationToken);
        return new Answer
        {
            Status = (int)response.StatusCode,
            Body = body ?? default,
            Problem = body is null ? $"its answer is larger than {_options.LargestBody} bytes" : null,
            ETag = response.Headers.ETag?.ToString(),
            Held = response.Headers.TryGetValues("Preference-Applied", out var applied)
                && applied.Any(value => value.Contains("wait", StringComparison.OrdinalIgnoreCase)),
            RetryAfter = response.Headers.RetryAfter is { } after ? after.Delta ?? (after.Date - _time.GetUtcNow()) : null,
        };
    }

    private void Renew(Line? old)
    {
        lock (_lock)
        {
            if (old is null || !ReferenceEquals(old, _line))
                return;
            old.Retire();
            _line = Open(old.Identity);
        }
    }

    private Line Open(Identity identity)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = _options.ConnectTimeout,
            EnableMultipleHttp2Connections = true,
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(10),
            // A held request is quiet by design; this notices that the other side has gone for good.
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            KeepAlivePingDelay = TimeSpan.FromMinutes(2),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(20),
            SslOptions = new SslClientAuthenticationOptions
            {
                EnabledSslProtocols = SslProtocols.Tls13,
                ClientCertificateContext = identity.Context,
                CertificateChainPolicy = _options.Roots.ForServers(),
                RemoteCertificateValidationCallback = Judge,
            },
        };
        return new Line(new HttpMessageInvoker(handler), identity);
    }

    private bool Judge(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        _tlsProblem = errors switch
        {
            SslPolicyErrors.None => null,
            _ when errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable) => "it presents no certificate",
            _ when errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors) =>
                chain?.ChainStatus.Any(status => status.Status.HasFlag(X509ChainStatusFlags.NotTimeValid)) == true
                    ? "its certificate has expired or is not valid yet by this device's clock"
                    : "its certificate is not signed by a CA of ca-root",
            _ => "its certificate is for another name",
        };
        return errors == SslPolicyErrors.None;
    }

    private string Describe(Exception exception) =>
        exception is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError }
            ? _tlsProblem ?? "the TLS handshake failed"
            : exception is HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError }
                ? "its name cannot be resolved"
                : (exception.InnerException ?? exception).Message;
}
