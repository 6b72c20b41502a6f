using System.Text.Json.Nodes;
using Flotta.ApiServer.Access.Rights;
using Flotta.ApiServer.Access.Tokens;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Verbs;

namespace Flotta.ApiServer.Access.Reviews;

/// <summary>Answers questions about access: `kubectl auth can-i`, `can-i --list`, `whoami`, and what programs ask about tokens that they were shown.</summary>
internal sealed class AccessReview(Authorization authorization, BearerTokens tokens)
{
    /// <summary>False: the request is about something else.</summary>
    public async Task<bool> TryHandleAsync(ObjectRequest request)
    {
        var definition = request.Served.Definition;
        if (definition.Group is not (AccessReviews.Authorization or AccessReviews.Authentication) || !definition.BuiltIn)
            return false;
        if (request.Name.Length > 0 || (definition.Namespaced && request.Namespace.Length == 0))
            throw new StatusException(Status.NotServed);
        if (request.Access.Asked.Verb != "create")
            throw new StatusException(Status.MethodNotAllowed);
        var options = WriteOptions.From(request);
        var (value, duplicates) = await RequestBody.ObjectAsync(request.Http);
        Incoming.Accept(request.Served, value, duplicates, options);
        if (value["metadata"] is not JsonObject metadata)
            value["metadata"] = metadata = [];
        NewObject.Place(request.Served, metadata, request.Namespace);
        var caller = request.Access.Caller;
        value["status"] = definition.Kind switch
        {
            "SelfSubjectReview" => new JsonObject { ["userInfo"] = Info(caller) },
            "TokenReview" => Token(value),
            "SelfSubjectRulesReview" => Rules(caller, value),
            "SelfSubjectAccessReview" => Self(definition, caller, value),
            _ => Other(definition, value, request.Namespace),
        };
        Answer.Warn(request.Http, options.Warnings);
        await Answer.JsonAsync(request.Http, value, 201);
        return true;
    }

    private JsonObject Self(ResourceDefinition definition, Caller caller, JsonObject value)
    {
        Refuse(definition, [.. ReviewedDeed.Problems(value["spec"])]);
        return Access(caller, ReviewedDeed.Of(value["spec"]));
    }

    private JsonObject Other(ResourceDefinition definition, JsonObject value, string @namespace)
    {
        var spec = value["spec"];
        var (user, groups) = (spec.TextAt("user"), spec.At("groups").Texts().ToList());
        List<FieldError> errors = [.. ReviewedDeed.Problems(spec)];
        if (@namespace.Length > 0 && spec.At("resourceAttributes") is { } resource && resource.TextAt("namespace") != @namespace)
            errors.Add(FieldError.Invalid("spec.resourceAttributes.namespace", resource.TextAt("namespace"), "must match metadata.namespace"));
        if (@namespace.Length > 0 && spec.At("nonResourceAttributes") is not null)
            errors.Add(ReviewedDeed.PathProblem(spec, "disallowed on this kind of request"));
        if (user.Length == 0 && groups.Count == 0)
            errors.Add(FieldError.Invalid("spec.user", user, "at least one of user or group must be specified"));
        Refuse(definition, errors);
        return Access(new Caller(user, groups), ReviewedDeed.Of(spec));
    }

    private JsonObject Access(Caller caller, AccessQuestion asked)
    {
        var decision = authorization.Check(caller, asked);
        var status = new JsonObject { ["allowed"] = decision.Allowed };
        if ((decision.By?.ToString() ?? decision.Reason) is { Length: > 0 } reason)
            status["reason"] = reason;
        return status;
    }

    private JsonObject Rules(Caller caller, JsonObject value)
    {
        var @namespace = value["spec"].TextAt("namespace");
        value["spec"] = new JsonObject();
        if (@namespace.Length == 0)
            throw new StatusException(Status.BadRequest("no namespace on request"));
        IEnumerable<PolicyRule> rules = authorization.Rights(caller).RulesIn(@namespace);
        if (caller.IsMaster)
            rules = ((PolicyRule[])[PolicyRule.Of("*", "*", "*"), PolicyRule.OfUrls("*", "*")]).Concat(rules);
        var all = rules.Distinct().ToList();
        return new JsonObject
        {
            ["resourceRules"] = new JsonArray([.. all.Where(rule => rule.Resources.Count > 0).Select(rule => (JsonNode)(rule with { Urls = [] }).ToJson())]),
            ["nonResourceRules"] = new JsonArray([.. all.Where(rule => rule.Urls.Count > 0).Select(rule => (JsonNode)PolicyRuleOfUrls(rule))]),
            ["incomplete"] = false,
        };
    }

    private JsonObject Token(JsonObject value)
    {
        var token = value["spec"].TextAt("token");
        if (token.Length == 0)
            throw new StatusException(Status.BadRequest("token is required for TokenReview in authentication"));
        var wanted = value["spec"].At("audiences").Texts().ToList();
        if (wanted.Count == 0)
            wanted.Add(AccountTokens.Issuer);
        var (caller, read, problem) = tokens.Find(token);
        // People's tokens are for this server and nobody else.
        var audiences = wanted.Intersect(read?.Audiences ?? [AccountTokens.Issuer], StringComparer.Ordinal).ToList();
        if (caller is null || audiences.Count == 0)
            return new JsonObject { ["user"] = new JsonObject(), ["error"] = problem ?? "token audiences are others than those asked for" };
        return new JsonObject { ["authenticated"] = true, ["user"] = Info(caller), ["audiences"] = new JsonArray([.. audiences.Select(one => (JsonNode)one)]) };
    }

    private static JsonObject PolicyRuleOfUrls(PolicyRule rule) => new PolicyRule(rule.Verbs, [], [], [], rule.Urls).ToJson();

    private static JsonObject Info(Caller caller)
    {
        var info = new JsonObject { ["username"] = caller.User };
        if (caller.Uid.Length > 0)
            info["uid"] = caller.Uid;
        info["groups"] = new JsonArray([.. caller.Groups.Select(group => (JsonNode)group)]);
        if (caller.Extra.Count > 0)
            info["extra"] = new JsonObject(caller.Extra.Select(one => KeyValuePair.Create(one.Key, (JsonNode?)new JsonArray([.. one.Value.Select(value => (JsonNode)value)]))));
        return info;
    }

    // Which kind it was is not said there.
    private static void Refuse(ResourceDefinition definition, IReadOnlyList<FieldError> errors)
    {
        if (errors.Count == 0)
            return;
        var status = Status.Invalid(definition with { Kind = "" }, "", errors);
        status.Details!.Remove("kind");
        throw new StatusException(status);
    }
}
