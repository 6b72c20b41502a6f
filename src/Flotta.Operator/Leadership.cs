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

        // The terms follow one another: the loops of one have ended before those of the next begin.
        var terms = Task.CompletedTask;
        CancellationTokenSource? term = null;
        election.Changed += leads =>
        {
            // Only ever one term: its own end disposes of it, so it is forgotten here.
            Interlocked.Exchange(ref term, null)?.Cancel();
            if (!leads) return;
            term = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            terms = TermAsync(terms, term);
        };
        await election.RunAsync(cancellationToken);
        await terms;
    }

    private async Task TermAsync(Task before, CancellationTokenSource term)
    {
        await before;
        using (term) await WorkAsync(term.Token);
    }

    private async Task WorkAsync(CancellationToken cancellationToken)
    {
        OperatorMetrics.Leading(true);
        foreach (var controller in controllers) controller.LookAtEverything();
        await Task.WhenAll(controllers.Select(controller => controller.RunAsync(cancellationToken)));
        OperatorMetrics.Leading(false);
    }
}
