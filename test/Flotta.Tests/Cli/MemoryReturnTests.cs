using Flotta.Cli;

namespace Flotta.Tests.Cli;

public sealed class MemoryReturnTests
{
    private const long MiB = 1024 * 1024;

    /// <param name="ticks">MiB allocated in each ten seconds.</param>
    /// <param name="due">After which of them memory is given back, from zero.</param>
    [Theory]
    [InlineData(new long[] { 100, 80, 100, 90, 80, 70, 5, 0, 0, 0 }, new[] { 6 })]
    [InlineData(new long[] { 100, 1, 1, 1, 1, 1, 1, 1, 1, 1 }, new[] { 5 })] // not before a minute
    [InlineData(new long[] { 60, 50, 60, 50, 60, 50, 60, 50 }, new int[0])] // a large fleet's everyday
    [InlineData(new long[] { 1, 1, 0, 1, 0, 1, 0, 0, 0, 0 }, new int[0])] // a small one's
    [InlineData(new long[] { 0, 0, 0, 0, 0, 0, 0, 40, 30, 1, 0, 0, 0, 0, 0, 0, 40, 3 }, new[] { 9, 17 })]
    public void Memory_goes_back_once_a_busy_time_is_over(long[] ticks, int[] due)
    {
        var memory = new MemoryReturn();
        var allocated = 0L;
        var given = new List<int>();
        foreach (var (tick, mebibytes) in ticks.Index())
        {
            if (memory.IsDue(allocated += mebibytes * MiB))
                given.Add(tick);
        }

        given.ShouldBe(due);
    }
}
