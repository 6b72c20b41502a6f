namespace Flotta.Operator;

/// <summary>One feature of the Operator at work: queues that the inventory's changes fill, and the loops that empty them.</summary>
internal interface IController
{
    /// <summary>Looks at everything anew: what happened while somebody else was the leader did not pass through our loops.</summary>
    void LookAtEverything();

    Task RunAsync(CancellationToken cancellationToken);
}
