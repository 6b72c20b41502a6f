using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Flotta.Kube;
using k8s;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Flotta.Operator.Admission;

/// <summary>Answers the API server's questions whether our kinds are admitted. Every replica does, whoever leads.</summary>
public sealed class WebhookHost : IAsyncDisposable
{
    /// <summary>An object and its predecessor, each as large as etcd takes one, with room.</summary>
    private const int LargestQuestion = 8 * 1024 * 1024;

    private readonly CancellationTokenSource stopping = new();
    private readonly KubeApi api;
    private readonly WebhookCertificates certificates;
    private WebApplication? server;
    private Task renewing = Task.CompletedTask;

    private WebhookHost(WebhookOptions options, KubeApi api, ILoggerFactory loggers, TimeProvider time) =>
        (this.api, certificates) = (api, new WebhookCertificates(api, options, loggers, time));

    public int Port { get; private set; }

    public static async Task<WebhookHost> StartAsync(
        WebhookOptions options, KubernetesClientConfiguration configuration, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        var host = new WebhookHost(options, KubeApi.Connect(configuration, time, "flotta-operator"), loggers, time);
        try
        {
            await host.certificates.StartAsync(cancellationToken);
            await host.ListenAsync(options, loggers, cancellationToken);
            host.renewing = host.certificates.RunAsync(host.stopping.Token);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await renewing;
        if (server is not null)
        {
            await server.StopAsync(CancellationToken.None);
            await server.DisposeAsync();
        }

        api.Dispose();
        stopping.Dispose();
    }

    private async Task ListenAsync(WebhookOptions options, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "flotta-webhooks" });
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = LargestQuestion;
            kestrel.Limits.MaxConcurrentConnections = 500;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            kestrel.Listen(options.Listen, options.Port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(Tls());
            });
        });
        server = builder.Build();
        server.Run(AnswerAsync);
        try
        {
            await server.StartAsync(cancellationToken);
        }
        catch (Exception failed) when (failed is IOException or SocketException)
        {
            throw new OperatorStartException($"The webhooks cannot listen on {new IPEndPoint(options.Listen, options.Port)}: {(failed.InnerException ?? failed).Message} Choose another port with --webhook-port.", failed);
        }

        Port = new Uri(server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port;
    }

    // Asked for every connection: a renewed certificate is shown from the next one on.
    private TlsHandshakeCallbackOptions Tls() => new()
    {
        HandshakeTimeout = TimeSpan.FromSeconds(10),
        OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = certificates.Shown,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
            AllowRenegotiation = false,
        }),
    };

    private static async Task AnswerAsync(HttpContext http)
    {
        var rules = AdmissionRules.All.FirstOrDefault(rules => string.Equals(http.Request.Path.Value, rules.Path, StringComparison.Ordinal));
        if (rules is null || !HttpMethods.IsPost(http.Request.Method))
        {
            http.Response.StatusCode = rules is null ? StatusCodes.Status404NotFound : StatusCodes.Status405MethodNotAllowed;
            return;
        }

        JsonObject answer;
        try
        {
            answer = AdmissionAnswer.To(await JsonNode.ParseAsync(http.Request.Body, cancellationToken: http.RequestAborted), rules);
        }
        catch (Exception wrong) when (wrong is JsonException or FormatException or ArgumentException)
        {
            http.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }
        catch (Microsoft.AspNetCore.Http.BadHttpRequestException wrong)
        {
            http.Response.StatusCode = wrong.StatusCode;
            return;
        }

        http.Response.ContentType = "application/json";
        await http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(answer.ToJsonString()), http.RequestAborted);
    }

    /// <summary>Signals are for the program to handle, not for one of its parts.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
