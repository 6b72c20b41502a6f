using Flotta.ApiServer;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.ApiServer.Access;

/// <summary>A server of the test's own, on a folder that it keeps, and its administrator.</summary>
internal sealed class OpenServer : IAsyncDisposable
{
    private OpenServer(EmbeddedApiServer server, Person admin)
    {
        Server = server;
        Admin = admin;
    }

    public EmbeddedApiServer Server { get; }

    public Person Admin { get; }

    public static async Task<OpenServer> StartAsync(string folder, TimeProvider? time = null, Func<ApiServerOptions, ApiServerOptions>? options = null)
    {
        var standard = new ApiServerOptions { DataDirectory = folder, Port = 0 };
        var server = await EmbeddedApiServer.StartAsync(options?.Invoke(standard) ?? standard, NullLoggerFactory.Instance, time ?? TimeProvider.System, CancellationToken.None);
        return new OpenServer(server, Person.With(server, "admin", "system:masters"));
    }

    public async ValueTask DisposeAsync()
    {
        Admin.Dispose();
        await Server.DisposeAsync();
    }
}
