using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace Flotta.Cli;

/// <summary>GET /metrics, /healthz (the process answers) and /readyz (all of it serves) over plain HTTP; nothing else, and nothing of the fleet's secrets.</summary>
internal sealed class MetricsEndpoint : IAsyncDisposable
{
    private readonly WebApplication application;
    private volatile Func<string?> problem = () => "starting";

    private MetricsEndpoint(WebApplication application) => this.application = application;

    public Uri Address => new(application.Urls.First());

    public static async Task<MetricsEndpoint> StartAsync(IPAddress listen, int port, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddSingleton(loggers);
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Limits.MaxConcurrentConnections = 100;
            kestrel.Listen(listen, port);
        });
        var endpoint = new MetricsEndpoint(builder.Build());
        endpoint.application.UseRouting();
        endpoint.application.MapMetrics();
        endpoint.application.MapGet("/healthz", (HttpContext http) => http.Response.WriteAsync("ok"));
        endpoint.application.MapGet("/readyz", (HttpContext http) =>
        {
            var why = endpoint.problem();
            http.Response.StatusCode = why == null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
            return http.Response.WriteAsync(why ?? "ok");
        });
        try
        {
            await endpoint.application.StartAsync(cancellationToken);
        }
        catch (IOException busy)
        {
            await endpoint.DisposeAsync();
            throw new FailureException($"port {port} for metrics cannot be opened on {listen} ({busy.Message.TrimEnd('.')}); choose another with --metrics-port.", busy);
        }

        return endpoint;
    }

    /// <param name="otherwise">Why it should be asked later after all; null where all is well.</param>
    public void Ready(Func<string?>? otherwise = null) => problem = otherwise ?? (() => null);

    public ValueTask DisposeAsync() => application.DisposeAsync();
}
