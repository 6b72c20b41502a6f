using Flotta.Kube;

namespace Flotta.Operator;

/// <summary>Runs the controllers: always when there is no election, else while this replica holds the Lease.</summary>
internal sealed class Leadership(IReadOnlyList<IController> controllers, LeaseHolder? election)
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (election is null)
        {
            await WorkAsync(cancellationToken);
            return;
        }

        // The terms follow one another: the loops of one have ended before those of the next begin. A term is not disposed of, since it
        // can be ended from two sides; there are few of them.
        var terms = Task.CompletedTask;
        CancellationTokenSource? term = null;
        election.Changed += leads =>
        {
            term?.Cancel();
            if (!leads) return;
            term = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            terms = TermAsync(terms, term.Token);
        };

        // Work ends before the Lease is given back, so that nobody else begins while a round is still under way.
        using var standing = new CancellationTokenSource();
        var elected = election.RunAsync(standing.Token);
        await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await terms;
        await standing.CancelAsync();
        await elected;
    }

    private async Task TermAsync(Task before, CancellationToken term)
    {
        await before;
        await WorkAsync(term);
    }

    private async Task WorkAsync(CancellationToken cancellationToken)
    {
        OperatorMetrics.Leading(true);
        foreach (var controller in controllers) controller.LookAtEverything();
        await Task.WhenAll(controllers.Select(controller => controller.RunAsync(cancellationToken)));
        OperatorMetrics.Leading(false);
    }
}
