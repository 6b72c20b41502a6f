using Flotta.ApiServer.Access.Audit;
using Flotta.ApiServer.Access.Fairness;
using Flotta.ApiServer.Access.Reviews;
using Flotta.ApiServer.Access.Rights;
using Flotta.ApiServer.Access.Tokens;
using Flotta.ApiServer.Storage;
using Flotta.ApiServer.Verbs;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Flotta.ApiServer.Access;

/// <summary>Where every request comes in: who asks, as whom, whether there is room for them and whether they may; and where it is written down. Also serves what is asked about access itself.</summary>
internal sealed class Entrance
{
    private readonly Authentication authentication;
    private readonly Authorization authorization;
    private readonly Escalation escalation;
    private readonly Impersonation impersonation;
    private readonly AccessReview reviews;
    private readonly TokenRequests tokenRequests;
    private readonly FairShare fairness;
    private readonly AuditLog audit;
    private readonly TimeProvider time;

    /// <exception cref="ApiServerStartException">The tokens that are kept cannot be read.</exception>
    public Entrance(Authority authority, AccountKey accountKey, string tokenFile, AuditLog audit, FairShareLimits limits, ObjectStore store, TimeProvider time, ILogger logger)
    {
        this.audit = audit;
        this.time = time;
        fairness = new FairShare(limits, time);
        var accounts = new AccountTokens(accountKey, store, time);
        var tokens = new BearerTokens(accounts, new StaticTokens(tokenFile, time, logger));
        authentication = new Authentication(authority, tokens, time);
        authorization = new Authorization(store);
        escalation = new Escalation(authorization);
        impersonation = new Impersonation(authorization);
        reviews = new AccessReview(authorization, tokens);
        tokenRequests = new TokenRequests(store, accounts);
    }

    public Visit Begin(HttpContext http) => new(http, time.GetTimestamp());

    /// <summary>To be called once, when the answer has been given.</summary>
    public void End(Visit visit)
    {
        visit.Seat?.Dispose();
        if (!visit.Came)
            return;
        var http = visit.Http;
        audit.Add(new AuditEntry(
            time.GetUtcNow(), visit.Caller, visit.Asked, http.Request.Method, http.Request.Path.Value ?? "/", http.Response.StatusCode, time.GetElapsedTime(visit.Started),
            http.Connection.RemoteIpAddress, http.Request.Headers.UserAgent.ToString()));
    }

    /// <exception cref="StatusException">401: nobody we know. 403: they may not. 429: they ask for more at once than their share.</exception>
    public async ValueTask<RequestAccess> AdmitAsync(Visit visit, ResourcePath? path)
    {
        visit.Came = true;
        var http = visit.Http;
        visit.Asked = QuestionOfRequest.From(http, path);
        var caller = authentication.Of(http) ?? throw new StatusException(Status.Unauthorized);
        visit.Caller = caller;
        visit.Seat = await SeatAsync(caller.User, visit) ?? throw TooMany(http);
        visit.Caller = caller = impersonation.Of(http, caller);
        RequestAccess.Require(caller, visit.Asked, authorization);
        return new RequestAccess(caller, visit.Asked, authorization, escalation);
    }

    /// <summary>False: the request is about something else.</summary>
    public async Task<bool> TryHandleAsync(ObjectRequest request) => await reviews.TryHandleAsync(request) || await tokenRequests.TryHandleAsync(request);

    private ValueTask<FairShare.Seat?> SeatAsync(string user, Visit visit) =>
        visit.Asked is { IsResource: true, Verb: "watch" } ? ValueTask.FromResult(fairness.EnterWatch(user)) : fairness.EnterAsync(user, visit.Http.RequestAborted);

    private static StatusException TooMany(HttpContext http)
    {
        http.Response.Headers.RetryAfter = "1";
        return new StatusException(new Status(
            429, "TooManyRequests", "Too many requests, please try again later.", new System.Text.Json.Nodes.JsonObject { ["retryAfterSeconds"] = 1 }));
    }
}
