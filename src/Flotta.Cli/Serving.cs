namespace Flotta.Cli;

internal static class Serving
{
    /// <summary>Returns, and does not throw, on Ctrl-C or SIGTERM: stopping is what was asked for.</summary>
    public static async Task UntilAskedToStopAsync(CancellationToken cancellationToken)
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (cancellationToken.Register(() => asked.TrySetResult()))
            await asked.Task;
    }
}
