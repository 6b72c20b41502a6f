using System.Text.Json.Nodes;
using Flotta.ApiServer.Access.Tokens;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Discovery;
using Flotta.ApiServer.Storage;
using Flotta.ApiServer.Verbs;

namespace Flotta.ApiServer.Access.Reviews;

/// <summary>POST serviceaccounts/NAME/token: `kubectl create token`.</summary>
internal sealed class TokenRequests(ObjectStore store, AccountTokens tokens)
{
    private const long Shortest = 600;
    private const long Longest = 1L << 32;

    // Longer is no longer a token that expires; the real server lets its operator set such a limit.
    private static readonly TimeSpan Granted = TimeSpan.FromDays(365);

    private static readonly ServedResource Served = new(AccessReviews.TokenRequest) { StorageApiVersion = AccessReviews.TokenRequest.ApiVersion };

    /// <summary>False: the request is about something else.</summary>
    public async Task<bool> TryHandleAsync(ObjectRequest request)
    {
        if (request.Served.Resource != "serviceaccounts" || request.Subresource != "token")
            return false;
        if (request.Access.Asked.Verb != "create" || request.Namespace.Length == 0)
            throw new StatusException(Status.MethodNotAllowed);
        var options = WriteOptions.From(request);
        var (value, duplicates) = await RequestBody.ObjectAsync(request.Http);
        Incoming.Accept(Served, value, duplicates, options);
        var account = store.State.Get(request.Key) ?? throw new StatusException(Status.NotFound(request.Served.Definition, request.Name));
        var spec = value["spec"] as JsonObject ?? [];
        value["spec"] = spec;
        var seconds = spec["expirationSeconds"].AsInteger() ?? 3600;
        if (Problem(seconds) is { } problem)
            throw new StatusException(Status.Invalid(AccessReviews.TokenRequest, "", [FieldError.Invalid("spec.expirationSeconds", seconds, problem)]));
        var lifetime = TimeSpan.FromSeconds(seconds) < Granted ? TimeSpan.FromSeconds(seconds) : Granted;
        var (token, until) = tokens.Issue(account, [.. spec["audiences"].Texts()], lifetime, Bound(request, spec["boundObjectRef"] as JsonObject));
        value["metadata"] = new JsonObject { ["name"] = request.Name, ["namespace"] = request.Namespace, ["creationTimestamp"] = Timestamps.Seconds(until - lifetime) };
        if (!spec["audiences"].Texts().Any())
            spec["audiences"] = new JsonArray(AccountTokens.Issuer);
        spec["boundObjectRef"] ??= null;
        spec["expirationSeconds"] = (long)lifetime.TotalSeconds;
        value["status"] = new JsonObject { ["token"] = token, ["expirationTimestamp"] = Timestamps.Seconds(until) };
        Answer.Warn(request.Http, options.Warnings);
        await Answer.JsonAsync(request.Http, value, 201);
        return true;
    }

    private static string? Problem(long seconds) => seconds switch
    {
        < Shortest => "may not specify a duration less than 10 minutes",
        > Longest => "may not specify a duration larger than 2^32 seconds",
        _ => null,
    };

    private BoundObject? Bound(ObjectRequest request, JsonObject? reference)
    {
        if (reference is null)
            return null;
        var (kind, version, name) = (reference.TextAt("kind"), reference.TextAt("apiVersion"), reference.TextAt("name"));
        if (kind != "Secret" || version is not ("v1" or ""))
            throw new StatusException(Status.BadRequest($"cannot bind token to object of type /{version}, Kind={kind}"));
        var secret = store.State.Get(new ObjectKey("secrets", request.Namespace, name))
            ?? throw new StatusException(Status.NotFound(BuiltInResources.All.First(one => one.Kind == kind), name));
        var uid = StoredMetadata.Of(secret).Uid;
        if (reference.TextAt("uid") is { Length: > 0 } said && said != uid)
        {
            throw new StatusException(Status.Conflict(
                BuiltInResources.All.First(one => one.Kind == kind), name, $"the UID in the bound object reference ({said}) does not match the UID in record. The object might have been deleted and then recreated"));
        }

        return new BoundObject("secret", name, uid);
    }
}
