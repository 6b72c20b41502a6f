using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Flotta.ApiServer;

/// <summary>What the ways into the server have in common. Empty: no environment variable or settings file of somebody else's changes where we listen.</summary>
internal static class QuietApplication
{
    public static WebApplicationBuilder Builder(ILoggerFactory loggers)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<ILoggerFactory>(new QuietLoggers(loggers));
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        return builder;
    }
}
