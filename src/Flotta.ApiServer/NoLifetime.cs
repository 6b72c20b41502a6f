using Microsoft.Extensions.Hosting;

namespace Flotta.ApiServer;

/// <summary>The program that this server lives in decides what Ctrl-C and SIGTERM do; the framework's own lifetime would swallow them.</summary>
internal sealed class NoLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
