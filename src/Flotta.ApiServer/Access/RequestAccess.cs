using System.Text.Json.Nodes;
using Flotta.ApiServer.Access.Rights;
using Flotta.ApiServer.Discovery;
using Flotta.ApiServer.Verbs;

namespace Flotta.ApiServer.Access;

/// <summary>Who makes a request, what they were let in for, and what else has to be asked on the way.</summary>
internal sealed class RequestAccess(Caller caller, AccessQuestion asked, Authorization authorization, Escalation escalation)
{
    public Caller Caller { get; } = caller;

    public AccessQuestion Asked { get; } = asked;

    /// <summary>The same object with another verb: an apply that makes an object is a create too.</summary>
    /// <exception cref="StatusException">It may not.</exception>
    public void Require(string verb) => Require(Caller, Asked with { Verb = verb }, authorization);

    /// <summary>What has to be asked of the new state (and the old one) before it is written; null: nothing.</summary>
    public Action<JsonObject, JsonObject?>? WriteCheck(ServedResource served) => escalation.CheckOf(served, Caller, Asked.Namespace, Asked.Name);

    public static void Require(Caller caller, AccessQuestion asked, Authorization authorization)
    {
        var decision = authorization.Check(caller, asked);
        if (!decision.Allowed)
            throw new StatusException(Refusal.Of(caller, asked, decision));
    }
}
