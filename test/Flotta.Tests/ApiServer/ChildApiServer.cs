using System.Diagnostics;
using System.Runtime.CompilerServices;
using Flotta.ApiServer;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.ApiServer;

/// <summary>A server in a process of its own, so that it can be killed: this very program, which with the variable set becomes that server.</summary>
internal sealed class ChildApiServer : IDisposable
{
    private const string Variable = "FLOTTA_TESTS_API_SERVER_DATA";

    private readonly Process process;

    private ChildApiServer(Process process, string kubeconfig)
    {
        this.process = process;
        Kubeconfig = kubeconfig;
    }

    public string Kubeconfig { get; }

    public static async Task<ChildApiServer> StartAsync(string data)
    {
        var ready = Path.Combine(data, "kubeconfig");
        File.Delete(ready);
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "Flotta.Tests")) { UseShellExecute = false };
        start.Environment[Variable] = data;
        var process = Process.Start(start)!;
        await Eventually.True(() => process.HasExited || File.Exists(ready), 60);
        process.HasExited.ShouldBeFalse();
        return new ChildApiServer(process, await File.ReadAllTextAsync(ready));
    }

    public void Kill()
    {
        process.Kill();
        process.WaitForExit();
    }

    public void Dispose()
    {
        if (!process.HasExited)
            Kill();
        process.Dispose();
    }

#pragma warning disable CA2255 // This is a program, not a library: it may decide at its very start what it is.
    [ModuleInitializer]
    internal static void Become()
#pragma warning restore CA2255
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } data)
            return;
        var server = EmbeddedApiServer.StartAsync(new ApiServerOptions { DataDirectory = data, Port = 0 }, NullLoggerFactory.Instance, TimeProvider.System, default)
            .GetAwaiter().GetResult();
        File.WriteAllText(Path.Combine(data, "kubeconfig.new"), server.Kubeconfig("admin", "system:masters"));
        File.Move(Path.Combine(data, "kubeconfig.new"), Path.Combine(data, "kubeconfig"));
        using var never = new ManualResetEvent(false);
        never.WaitOne();
    }
}
