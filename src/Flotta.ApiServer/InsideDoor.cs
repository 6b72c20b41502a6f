using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Logging;

namespace Flotta.ApiServer;

/// <summary>
/// Where requests of this very process come in: no encryption and no framing on both sides of a socket that nobody else reads (docs/decisions/0080).
/// </summary>
internal sealed class InsideDoor : IAsyncDisposable
{
    private readonly WebApplication host;
    private readonly TestServer server;

    private InsideDoor(WebApplication host) => (this.host, server) = (host, host.GetTestServer());

    public static async Task<InsideDoor> OpenAsync(RequestDelegate answer, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var builder = QuietApplication.Builder(loggers);
        builder.WebHost.UseTestServer();
        var application = builder.Build();
        application.Run(answer);
        await application.StartAsync(cancellationToken);
        return new InsideDoor(application);
    }

    /// <summary>What comes through it is looked at as if this certificate had been shown in a handshake.</summary>
    public HttpMessageHandler HandlerFor(X509Certificate2 certificate)
    {
        var connection = new Connection();
        var tls = new TlsConnectionFeature { ClientCertificate = certificate };
        return server.CreateHandler(http =>
        {
            http.Features.Set<IConnectionItemsFeature>(connection);
            http.Features.Set<ITlsConnectionFeature>(tls);
            http.Connection.RemoteIpAddress = IPAddress.Loopback;
        });
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();

    private sealed class Connection : IConnectionItemsFeature
    {
        public IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();
    }
}
