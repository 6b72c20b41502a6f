namespace Flotta.Tests;

/// <summary>Waits for what other threads bring about, with a deadline.</summary>
internal static class Eventually
{
    public static async Task True(Func<bool> condition, int seconds = 20, [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(condition))] string? what = null)
    {
        var deadline = System.Diagnostics.Stopwatch.StartNew();
        while (!condition())
        {
            if (deadline.Elapsed.TotalSeconds > seconds)
                Assert.Fail($"did not come true within {seconds} s: {what}");
            await Task.Delay(5);
        }
    }

    public static async Task True(Func<Task<bool>> condition, int seconds = 20, [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(condition))] string? what = null)
    {
        var deadline = System.Diagnostics.Stopwatch.StartNew();
        while (!await condition())
        {
            if (deadline.Elapsed.TotalSeconds > seconds)
                Assert.Fail($"did not come true within {seconds} s: {what}");
            await Task.Delay(10);
        }
    }
}
