using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Flotta.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace Flotta.Tests.Agent;

/// <summary>One request as the server saw it.</summary>
internal sealed record Seen(string Method, string Path, string Body, X509Certificate2 Certificate, IHeaderDictionary Headers)
{
    public Message Message => WireJson.Read(Encoding.UTF8.GetBytes(Body), WireJson.Types.Message);

    public string What => Method == "GET" ? Path.Split('/')[^3] + "/in" : Path.Split('/')[^3] == "control" ? "control/out" : Message.Directive ?? "";

    public Heartbeat Heartbeat => WireJson.ReadContent(Message.Content, WireJson.Types.Heartbeat);
}

/// <summary>A server on loopback that speaks real mutual TLS and says what the test wants, by default what a well-behaved Edge API says.</summary>
internal sealed class EdgeStandIn : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<SentBytes> _connections;

    private EdgeStandIn(WebApplication app, TestAuthority authority, ConcurrentQueue<SentBytes> connections)
    {
        _app = app;
        _connections = connections;
        Authority = authority;
    }

    public TestAuthority Authority { get; }

    public string Address => new Uri(_app.Urls.First()).Authority;

    /// <summary>The same by a name, as TLS needs to resume a session.</summary>
    public string NamedAddress => $"localhost:{new Uri(_app.Urls.First()).Port}";

    /// <summary>What this server sent on each connection so far, in bytes, its handshake with it.</summary>
    public long[] BytesSent => [.. _connections.Select(connection => connection.Total)];

    public ConcurrentQueue<Seen> Requests { get; } = [];

    public bool Approved { get; set; } = true;

    public bool Deleted { get; set; }

    /// <summary>Holds requests and sends entity tags, as ours does; the original does neither.</summary>
    public bool Holds { get; set; } = true;

    public TimeSpan CertificateLife { get; set; } = TimeSpan.FromDays(30);

    /// <summary>Set to answer a request in the test's own way; false leaves it to the default.</summary>
    public Func<Seen, HttpContext, Task<bool>>? Instead { get; set; }

    public HashSet<string> Refused { get; } = new(StringComparer.Ordinal);

    private (string Tag, string Body)? _configuration;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static async Task<EdgeStandIn> StartAsync(TestAuthority? authority = null)
    {
        authority ??= new TestAuthority();
        var certificate = authority.Server();
        var connections = new ConcurrentQueue<SentBytes>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            listen.Use(next => connection =>
            {
                var sent = new SentBytes(connection.Transport.Output);
                connections.Enqueue(sent);
                connection.Transport = new Duplex(connection.Transport.Input, sent);
                return next(connection);
            });
            listen.UseHttps(certificate, https =>
            {
                https.SslProtocols = SslProtocols.Tls13;
                https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
                https.AllowAnyClientCertificate();
            });
        }));
        var app = builder.Build();
        var server = new EdgeStandIn(app, authority, connections);
        app.Run(server.AnswerAsync);
        await app.StartAsync();
        return server;
    }

    public void Configure(string content, string tag)
    {
        _configuration = ($"\"{tag}\"", $$"""{"type":"data","directive":"device","message_id":"1","version":1,"content":{{content}}}""");
        Interlocked.Exchange(ref _changed, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
    }

    /// <summary>Answers each look at control/in with a reconnect. When, by this clock, there was one.</summary>
    public ConcurrentQueue<DateTimeOffset> Reconnect(TimeProvider time)
    {
        var looks = new ConcurrentQueue<DateTimeOffset>();
        Instead = async (seen, context) =>
        {
            if (seen.What != "control/in")
                return false;
            looks.Enqueue(time.GetUtcNow());
            await context.Response.WriteAsync("""{"type":"command","message_id":"1","version":1,"content":{"command":"reconnect","arguments":null}}""");
            return true;
        };
        return looks;
    }

    public async Task<Seen> SeesAsync(Func<Seen, bool> what, int count = 1)
    {
        await Until.TrueAsync(() => Requests.Count(what) >= count, () => $"seen: {string.Join(", ", Requests.Select(seen => seen.What))}");
        return Requests.Where(what).ElementAt(count - 1);
    }

    public Task<Seen> SeesAsync(string what, int count = 1) => SeesAsync(seen => seen.What == what, count);

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        try
        {
            await _app.StopAsync(now.Token);
        }
        catch (OperationCanceledException)
        {
            // Held requests are not waited for.
        }

        await _app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var seen = new Seen(
            context.Request.Method,
            context.Request.Path,
            await reader.ReadToEndAsync(),
            context.Connection.ClientCertificate!,
            new HeaderDictionary(context.Request.Headers.ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.OrdinalIgnoreCase)));
        Requests.Enqueue(seen);
        if (Instead is { } instead && await instead(seen, context))
            return;
        var isBootstrap = seen.Certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false) == "register";
        switch (seen.What)
        {
            case Directives.Enrolment:
                if (Holds && seen.Headers.ContainsKey("Prefer"))
                {
                    context.Response.Headers["Preference-Applied"] = seen.Headers["Prefer"];
                    for (var waited = 0; !Approved && waited < 3000; waited++)
                        await Task.Delay(20, context.RequestAborted);
                }

                context.Response.StatusCode = Approved ? 208 : 200;
                return;
            case Directives.Registration when !Refused.Contains(seen.Certificate.SerialNumber):
                await RegisterAsync(seen, context);
                return;
            case var _ when isBootstrap || Refused.Contains(seen.Certificate.SerialNumber) || seen.Certificate.NotAfter < TestAuthority.Now.UtcDateTime.ToLocalTime():
                context.Response.StatusCode = 401;
                return;
            case "control/in" when Deleted:
                await context.Response.WriteAsync("""{"content":{"command":"disconnect","arguments":null},"message_id":"2","type":"command","version":1}""");
                return;
            case "data/in" when Deleted:
            case Directives.Heartbeat when Deleted:
                context.Response.StatusCode = 404;
                return;
            case "data/in":
                await SendConfigurationAsync(context);
                return;
            default:
                context.Response.StatusCode = 200;
                return;
        }
    }

    /// <summary>The certificate that a registration asks for.</summary>
    public string Issue(Seen seen)
    {
        var info = WireJson.ReadContent(seen.Message.Content, WireJson.Types.RegistrationInfo);
        var id = seen.Path.Split('/')[^2];
        using var issued = Authority.Sign(info.CertificateRequest!, $"CN={id}, OU=default, O=flotta-operator", TestAuthority.Now - TimeSpan.FromDays(1), TestAuthority.Now + CertificateLife);
        return issued.ExportCertificatePem() + "\n";
    }

    private async Task RegisterAsync(Seen seen, HttpContext context)
    {
        if (!Approved)
        {
            context.Response.StatusCode = 404;
            return;
        }

        var content = WireJson.ToElement(new RegistrationResponse { Certificate = Issue(seen) }, WireJson.Types.RegistrationResponse);
        var response = new MessageResponse { MessageId = seen.Message.MessageId, Directive = seen.Message.Directive, Content = content };
        await context.Response.Body.WriteAsync(WireJson.Write(response, WireJson.Types.MessageResponse));
    }

    private async Task SendConfigurationAsync(HttpContext context)
    {
        var changed = _changed.Task;
        var wait = context.Request.Headers["Prefer"].ToString();
        if (Holds && wait.StartsWith("wait=", StringComparison.Ordinal) && context.Request.Headers.IfNoneMatch == _configuration?.Tag)
        {
            context.Response.Headers["Preference-Applied"] = wait;
            await Task.WhenAny(changed, Task.Delay(Timeout.Infinite, context.RequestAborted));
        }

        if (_configuration is not { } configuration)
        {
            context.Response.StatusCode = 500;
            return;
        }

        if (Holds)
            context.Response.Headers.ETag = configuration.Tag;
        await context.Response.WriteAsync(configuration.Body + "\n");
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    private sealed class SentBytes(PipeWriter onto) : PipeWriter
    {
        private long _total;

        public long Total => Interlocked.Read(ref _total);

        public override void Advance(int bytes)
        {
            Interlocked.Add(ref _total, bytes);
            onto.Advance(bytes);
        }

        public override Memory<byte> GetMemory(int sizeHint = 0) => onto.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => onto.GetSpan(sizeHint);

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => onto.FlushAsync(cancellationToken);

        public override void CancelPendingFlush() => onto.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => onto.Complete(exception);
    }
}
