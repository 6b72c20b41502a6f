using Flotta.ApiServer.Storage;

namespace Flotta.ApiServer.Access.Rights;

/// <summary>
/// May this caller do that? By the roles and bindings as they are at this moment: a request that comes after a binding's write was answered already sees it.
/// </summary>
internal sealed class Authorization(ObjectStore store)
{
    private readonly Lock gate = new();
    private AccessPolicy? latest;

    public AccessPolicy Policy
    {
        get
        {
            var state = store.State;
            var seen = Volatile.Read(ref latest);
            if (seen is not null && seen.IsOf(state))
                return seen;
            lock (gate)
            {
                state = store.State;
                if (latest is null || !latest.IsOf(state))
                    Volatile.Write(ref latest, AccessPolicy.From(state, latest));
                return latest!;
            }
        }
    }

    public Decision Check(Caller caller, AccessQuestion asked) => caller.IsMaster ? new Decision(true, "") : Rights(caller).Check(asked);

    /// <summary>What the roles give; of masters, who may everything, too.</summary>
    public RightsOfSubject Rights(Caller caller)
    {
        var policy = Policy;
        // Callers live as long as their connections, so most requests find what an earlier one has made.
        if (caller.Known is { } known && ReferenceEquals(known.Policy, policy))
            return known;
        return caller.Known = new RightsOfSubject(policy, caller.User, caller.Groups);
    }
}
