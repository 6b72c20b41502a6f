using System.Net;
using System.Net.Sockets;
using Flotta.ApiServer.Access;
using Flotta.ApiServer.Discovery;
using Flotta.ApiServer.Lifecycle;
using Flotta.ApiServer.Storage;
using Flotta.ApiServer.Verbs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Flotta.ApiServer;

/// <summary>A small Kubernetes-style API server in this process, on one SQLite file.</summary>
public sealed class EmbeddedApiServer : IAsyncDisposable
{
    private readonly Stack<IAsyncDisposable> parts = new();
    private readonly CancellationTokenSource stopping = new();
    private Authority? authority;

    private EmbeddedApiServer()
    {
    }

    public Uri Address { get; private set; } = new("https://127.0.0.1");

    /// <summary>The authority that signed the server's certificate, as PEM.</summary>
    public string AuthorityPem => authority!.CertificatePem;

    /// <exception cref="ApiServerStartException">With one sentence for a person.</exception>
    public static async Task<EmbeddedApiServer> StartAsync(
        ApiServerOptions options, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken)
    {
        var server = new EmbeddedApiServer();
        try
        {
            await server.OpenAsync(options, loggers, time, cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>A kubeconfig with the CA and a fresh client certificate for this user in these groups.</summary>
    public string Kubeconfig(string user, params string[] groups) => KubeconfigText.For(authority!, Address, user, groups);

    public async ValueTask DisposeAsync()
    {
        // Watches end first, so that the listener need not wait for them.
        await stopping.CancelAsync();
        while (parts.TryPop(out var part))
            await part.DisposeAsync();
        stopping.Dispose();
    }

    private async Task OpenAsync(ApiServerOptions options, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken)
    {
        var logger = loggers.CreateLogger("Flotta.ApiServer");
        var directory = Own(DataDirectory.Open(options.DataDirectory));
        authority = Own(Authority.Open(directory.KeysFolder, time));
        var certificate = new ServingCertificate(authority, directory.KeysFolder, options.Listen, time);
        var store = ObjectStore.Open(directory.DatabaseFile, logger, time);
        parts.Push(store);
        var catalog = new ResourceCatalog(store);
        var changes = new ObjectChanges(store, catalog, time);
        var pages = new KeptPages(time);
        await FirstNamespaces.MakeAsync(store, catalog, changes, cancellationToken);
        parts.Push(new Housekeeping(store, catalog, changes, pages, time, logger));
        var handler = new ApiHandler(
            store, catalog, changes, pages, new Authentication(authority, time),
            new DiscoveryRoutes(catalog, () => Address.Authority), time, stopping.Token, logger);
        await ListenAsync(options, certificate, handler, loggers, cancellationToken);
    }

    private async Task ListenAsync(
        ApiServerOptions options, ServingCertificate certificate, ApiHandler handler, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        // An empty builder: no environment variable or settings file of somebody else's changes where we listen.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<ILoggerFactory>(new QuietLoggers(loggers));
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        Listener.Configure(builder, options, certificate);
        var application = builder.Build();
        parts.Push(application);
        application.Run(handler.HandleAsync);
        try
        {
            await application.StartAsync(cancellationToken);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            var where = new IPEndPoint(options.Listen, options.Port);
            throw new ApiServerStartException(
                e is IOException { InnerException: Microsoft.AspNetCore.Connections.AddressInUseException }
                    ? $"The address {where} is in use by another process: stop that one, or choose another port."
                    : $"The address {where} cannot be listened on: {e.Message}",
                e);
        }

        var bound = new Uri(application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        var host = options.Listen.Equals(IPAddress.Any) || options.Listen.Equals(IPAddress.IPv6Any) ? "127.0.0.1" : bound.Host;
        Address = new UriBuilder(Uri.UriSchemeHttps, host, bound.Port).Uri;
    }

    private T Own<T>(T part)
        where T : IDisposable
    {
        parts.Push(new Owned(part));
        return part;
    }

    private sealed class Owned(IDisposable part) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            part.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
