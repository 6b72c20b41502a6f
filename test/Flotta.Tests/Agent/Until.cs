using System.Diagnostics;

namespace Flotta.Tests.Agent;

internal static class Until
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    public static async Task TrueAsync(Func<bool> condition, Func<string>? otherwise = null)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            if (watch.Elapsed > Deadline)
                throw new TimeoutException(otherwise?.Invoke() ?? "It did not come true in time.");
            await Task.Delay(10);
        }
    }
}
