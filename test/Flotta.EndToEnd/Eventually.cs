using System.Diagnostics;

namespace Flotta.EndToEnd;

/// <summary>Waits for what must become true in a world of other processes, and says what was seen when it does not.</summary>
internal static class Eventually
{
    public static async Task TrueAsync(Func<Task<bool>> condition, TimeSpan deadline, Func<string>? seen = null)
    {
        var clock = Stopwatch.StartNew();
        while (!await condition())
        {
            if (clock.Elapsed > deadline)
                throw new TimeoutException($"not true within {deadline.TotalSeconds} s. {seen?.Invoke()}");
            await Task.Delay(TimeSpan.FromMilliseconds(50));
        }
    }

    public static async Task<string> EqualsAsync(string expected, Func<Task<string>> actual, TimeSpan deadline)
    {
        var last = "";
        await TrueAsync(async () => (last = await actual()) == expected, deadline, () => $"Expected '{expected}', last seen '{last}'.");
        return last;
    }
}
