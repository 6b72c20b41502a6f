using System.Globalization;
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
/// <see cref="Use(Identity)"/> puts another identity in place while requests under way finish on the old one.
/// </summary>
public sealed class HttpsTransport : IOutbound, IDisposable
{
    private readonly TransportOptions _options;
    private readonly TimeProvider _time;
    private readonly Reachability _reachability;
    private readonly Lock _lock = new();
    private Line? _line;
    private volatile Endpoint _endpoint;
    private volatile string? _tlsProblem;

    public HttpsTransport(TransportOptions options, ILogger<HttpsTransport> logger, TimeProvider time)
    {
        _options = options;
        _time = time;
        _endpoint = new Endpoint(options.Address, options.Roots);
        _reachability = new Reachability(logger);
    }

    /// <summary>Reached (true) or lost (false), each told once.</summary>
    public event Action<bool>? ReachabilityChanged
    {
        add => _reachability.Changed += value;
        remove => _reachability.Changed -= value;
    }

    public Endpoint Endpoint => _endpoint;

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

    /// <summary>Another server, or other authorities to judge it by; requests under way finish where they began.</summary>
    public void Use(Endpoint endpoint)
    {
        lock (_lock)
        {
            _endpoint = endpoint;
            if (_line is not { } old)
                return;
            old.Retire();
            _line = Open(old.Identity);
        }
    }

    /// <summary>New connections for the same identity: after a silence that may be a dead connection's, or when the server asks for it.</summary>
    public void Renew() => Renew(_line);

    /// <param name="hold">Ask the server to hold the request this long while its answer would be what <paramref name="tag"/> names.</param>
    /// <param name="commands">A held request may be answered by a command.</param>
    public Task<Answer> GetAsync(Channel channel, string? tag, TimeSpan? hold, CancellationToken cancellationToken, bool commands = false)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, _endpoint.Address.In(channel));
        if (tag is not null && EntityTagHeaderValue.TryParse(tag, out var entityTag))
            request.Headers.IfNoneMatch.Add(entityTag);
        PreferToWait(request, hold, commands ? ", commands" : "");
        return SendAsync(request, Current(), hold ?? TimeSpan.Zero, cancellationToken);
    }

    public Task<Answer> PostAsync(Channel channel, Message message, CancellationToken cancellationToken) =>
        SendAsync(Post(channel, message), Current(), TimeSpan.Zero, cancellationToken);

    /// <summary>Content that a message only names.</summary>
    public Task<Answer> FetchAsync(Uri address, CancellationToken cancellationToken) =>
        Reach(address) is { } uri
            ? SendAsync(new HttpRequestMessage(HttpMethod.Get, uri), Current(), TimeSpan.Zero, cancellationToken, isElsewhere: true)
            : Task.FromResult(Answer.None("only https is spoken"));

    /// <summary>What a worker sends to an address of its own choice.</summary>
    public Task<Answer> PostToAsync(Uri address, ReadOnlyMemory<byte> body, IReadOnlyDictionary<string, string> headers, CancellationToken cancellationToken)
    {
        if (Reach(address) is not { } uri)
            return Task.FromResult(Answer.None("only https is spoken"));
        var content = new ByteArrayContent(body.ToArray());
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        var request = new HttpRequestMessage(HttpMethod.Post, uri) { Content = content };
        foreach (var (name, value) in headers)
            _ = request.Headers.TryAddWithoutValidation(name, value) || content.Headers.TryAddWithoutValidation(name, value);
        return SendAsync(request, Current(), TimeSpan.Zero, cancellationToken, isElsewhere: true);
    }

    private Uri? Reach(Uri address)
    {
        if (address.Scheme != Uri.UriSchemeHttps)
            return null;
        return _options.DataHost is { Length: > 0 } host && Uri.TryCreate($"https://{host}{address.PathAndQuery}", UriKind.Absolute, out var replaced) ? replaced : address;
    }

    /// <summary>A body that is written while it is sent, over the connection that the other requests use. The server may answer, and so end it, before it is through.</summary>
    public Task<Answer> StreamAsync(string name, HttpContent content, TimeSpan limit, CancellationToken cancellationToken) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Post, _endpoint.Address.Stream(name)) { Content = content }, Current(), limit, cancellationToken);

    /// <inheritdoc/>
    public async Task<Answer> PostAsAsync(Identity identity, Channel channel, Message message, CancellationToken cancellationToken, TimeSpan? hold = null)
    {
        var line = Open(identity);
        try
        {
            var request = Post(channel, message);
            PreferToWait(request, hold);
            return await SendAsync(request, line, hold ?? TimeSpan.Zero, cancellationToken);
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
        var request = new HttpRequestMessage(HttpMethod.Post, _endpoint.Address.Out(channel)) { Content = content };
        if (_options.Quiet is { } quiet && string.Equals(message.Directive, Directives.Heartbeat, StringComparison.Ordinal))
            request.Headers.TryAddWithoutValidation("Prefer", $"quiet={(int)quiet.TotalSeconds}");
        return request;
    }

    private static void PreferToWait(HttpRequestMessage request, TimeSpan? hold, string more = "")
    {
        if (hold is { } wait)
            request.Headers.TryAddWithoutValidation("Prefer", $"wait={(int)wait.TotalSeconds}{more}");
    }

    private Line Current() => _line ?? throw new InvalidOperationException("No identity has been put to use yet.");

    /// <param name="isElsewhere">What becomes of it says nothing of the server, nor of the connection to it.</param>
    private async Task<Answer> SendAsync(HttpRequestMessage request, Line line, TimeSpan extra, CancellationToken cancellationToken, bool isElsewhere = false)
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

            if (isElsewhere)
                return answer;
            _reachability.Note(_endpoint.Address.Server, answer);
            if (answer.Status == 401)
                Unauthorized?.Invoke(line.Identity);
            return answer;
        }
        finally
        {
            line.Leave();
            // What does not answer may be a connection that only we believe in.
            if (timedOut && !isElsewhere)
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
            Held = Applied(response).Any(value => value.Contains("wait", StringComparison.OrdinalIgnoreCase)),
            Quiet = Applied(response).Select(QuietOf).FirstOrDefault(quiet => quiet is not null),
            Headers = _options.KeepHeaders ? Headers(response) : null,
            RetryAfter = response.Headers.RetryAfter is { } after ? after.Delta ?? (after.Date - _time.GetUtcNow()) : null,
        };
    }

    private static IEnumerable<string> Applied(HttpResponseMessage response) =>
        response.Headers.TryGetValues("Preference-Applied", out var applied) ? applied : [];

    private static TimeSpan? QuietOf(string applied) =>
        applied.StartsWith("quiet=", StringComparison.OrdinalIgnoreCase) && int.TryParse(applied.AsSpan("quiet=".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? TimeSpan.FromSeconds(seconds)
            : null;

    private static Dictionary<string, string> Headers(HttpResponseMessage response) =>
        response.Headers.Concat(response.Content.Headers).ToDictionary(header => Canonical(header.Key), header => string.Join(';', header.Value), StringComparer.Ordinal);

    // As Go writes them: HTTP/2 has them in small letters.
    private static string Canonical(string name) => string.Join('-', name.Split('-').Select(part => part.Length == 0 ? part : char.ToUpperInvariant(part[0]) + part[1..].ToLowerInvariant()));

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
            // A timer of the pool's goes off four times in that time.
            PooledConnectionIdleTimeout = _options.KeepAlive ? TimeSpan.FromMinutes(10) : TimeSpan.FromHours(2),
            AutomaticDecompression = _options.Packed ? DecompressionMethods.GZip : DecompressionMethods.None,
            // A held request is quiet by design; this notices that the other side has gone for good.
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            KeepAlivePingDelay = _options.KeepAlive ? TimeSpan.FromMinutes(1) : Timeout.InfiniteTimeSpan,
            KeepAlivePingTimeout = TimeSpan.FromSeconds(20),
            SslOptions = new SslClientAuthenticationOptions
            {
                EnabledSslProtocols = SslProtocols.Tls13,
                ClientCertificateContext = identity.Context,
                CertificateChainPolicy = _endpoint.Roots.ForServers(),
                RemoteCertificateValidationCallback = Judge,
            },
        };
        return new Line(new HttpMessageInvoker(handler), identity);
    }

    private bool Judge(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.RemoteCertificateChainErrors && certificate is X509Certificate2 leaf && chain is not null && _endpoint.Roots.SignedServer(leaf, chain))
            errors = SslPolicyErrors.None;
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
