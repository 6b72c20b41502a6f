using System.Net;
using System.Net.Sockets;
using Flotta.ApiServer.Access;
using Flotta.ApiServer.Access.Audit;
using Flotta.ApiServer.Access.Rights;
using Flotta.ApiServer.Access.Tokens;
using Flotta.ApiServer.Admission;
using Flotta.ApiServer.Discovery;
using Flotta.ApiServer.Lifecycle;
using Flotta.ApiServer.Storage;
using Flotta.ApiServer.Verbs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Flotta.ApiServer;

/// <summary>A small Kubernetes-style API server in this process, on one SQLite file.</summary>
public sealed class EmbeddedApiServer : IAsyncDisposable
{
    private readonly Stack<IAsyncDisposable> parts = new();
    private readonly CancellationTokenSource stopping = new();
    private Authority? authority;
    private InsideDoor? inside;

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

    /// <summary>
    /// Requests of a part of this process that runs as a service account: answered like any other, with that account's rights and in the audit log, but not sent over a network.
    /// </summary>
    public HttpMessageHandler AccountHandler(string @namespace, string name) =>
        inside!.HandlerFor(KubeconfigText.CertificateFor(authority!, AccountName.UserOf(@namespace, name), AccountName.GroupsOf(@namespace)));

    public async ValueTask DisposeAsync()
    {
        if (stopping.IsCancellationRequested)
            return;
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
        var accountKey = Own(AccountKey.Open(directory.KeysFolder));
        var certificate = new ServingCertificate(authority, directory.KeysFolder, options.Listen, time);
        var store = ObjectStore.Open(directory.DatabaseFile, logger, time);
        parts.Push(store);
        var catalog = new ResourceCatalog(store);
        var admission = Own(new WebhookAdmission(store, catalog, options.Checks, logger));
        var changes = new ObjectChanges(store, catalog, admission, time);
        var pages = new KeptPages(time);
        await FirstNamespaces.MakeAsync(store, catalog, changes, cancellationToken);
        await new FirstRoles(store, catalog, changes).MakeAsync(cancellationToken);
        parts.Push(new Housekeeping(store, catalog, changes, pages, time, logger));
        var audit = new AuditLog(directory.AuditFile, time, logger);
        parts.Push(audit);
        var entrance = new Entrance(authority, accountKey, TokenFile.In(directory.KeysFolder), audit, options.Limits, store, time, logger);
        var handler = new ApiHandler(
            store, catalog, changes, pages, entrance,
            new DiscoveryRoutes(catalog, () => Address.Authority), time, stopping.Token, logger);
        await ListenAsync(options, certificate, handler, loggers, cancellationToken);
        parts.Push(inside = await InsideDoor.OpenAsync(handler.HandleAsync, loggers, cancellationToken));
    }

    private async Task ListenAsync(
        ApiServerOptions options, ServingCertificate certificate, ApiHandler handler, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var builder = QuietApplication.Builder(loggers);
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
