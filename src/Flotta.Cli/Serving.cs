using Flotta.Cli.Moving;
using Flotta.Kube;
using k8s;
using Microsoft.Extensions.Logging;

namespace Flotta.Cli;

internal static partial class Serving
{
    /// <summary>Nobody acts on half of an installation that is being copied: /readyz and the log say what is waited for.</summary>
    public static async Task UntilNothingMovesAsync(KubernetesClientConfiguration access, MetricsEndpoint metrics, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var logger = loggers.CreateLogger("Flotta.Moving");
        using var kube = KubeApi.Connect(access, TimeProvider.System);
        await Pause.WaitAsync(
            kube,
            why =>
            {
                metrics.Ready(() => why);
                LogWaiting(logger, why);
            },
            TimeProvider.System,
            cancellationToken);
        metrics.Ready(() => "starting");
    }

    /// <summary>Returns, and does not throw, on Ctrl-C or SIGTERM: stopping is what was asked for. Meanwhile memory goes back after each busy time.</summary>
    public static async Task UntilAskedToStopAsync(CancellationToken cancellationToken)
    {
        using var memory = MemoryReturn.Watch(TimeProvider.System);
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (cancellationToken.Register(() => asked.TrySetResult()))
            await asked.Task;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Why}")]
    private static partial void LogWaiting(ILogger logger, string why);
}
