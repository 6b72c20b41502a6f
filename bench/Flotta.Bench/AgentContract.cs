using System.Diagnostics;

namespace Flotta.Bench;

/// <summary>A bench of the agent that fails when a limit is passed.</summary>
internal abstract class AgentContract(Results results)
{
    private bool _failed;

    protected void Row(string measure, double value, double limit, string unit, string format = "N1")
    {
        var over = value > limit;
        _failed |= over;
        results.Row(measure, $"{Results.Number(value, format)} {unit}".Trim(), double.IsInfinity(limit) ? "" : $"{Results.Number(limit, limit < 1 ? "N1" : "N0")} {unit}".Trim(), over ? "OVER" : "");
    }

    /// <summary>Keeps the table; whether every limit was kept.</summary>
    protected async Task<bool> EndAsync(CancellationToken cancellationToken)
    {
        await results.WriteAsync(cancellationToken);
        return !_failed;
    }

    protected static Task UntilAsync(Func<bool> condition, CancellationToken cancellationToken, TimeSpan? patience = null) => UntilAsync(() => Task.FromResult(condition()), cancellationToken, patience);

    protected static async Task UntilAsync(Func<Task<bool>> condition, CancellationToken cancellationToken, TimeSpan? patience = null)
    {
        var began = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(began) > (patience ?? TimeSpan.FromMinutes(3)))
                throw new TimeoutException("an agent does not do what the bench waits for");
            await Task.Delay(TimeSpan.FromMilliseconds(20), cancellationToken);
        }
    }
}
