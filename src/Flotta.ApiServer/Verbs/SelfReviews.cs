using System.Text.Json.Nodes;
using Flotta.ApiServer.Access;
using Microsoft.AspNetCore.Http;

namespace Flotta.ApiServer.Verbs;

/// <summary>What may I do (all of it, for now), and who am I: `kubectl auth can-i`, `kubectl auth whoami`.</summary>
internal static class SelfReviews
{
    public static async Task<bool> TryHandleAsync(HttpContext http, ResourcePath path, Caller caller)
    {
        if (!HttpMethods.IsPost(http.Request.Method) || path.Version != "v1" || path.Name.Length > 0 || path.Namespace.Length > 0)
            return false;
        JsonObject status;
        switch (path.Group, path.Plural)
        {
            case ("authorization.k8s.io", "selfsubjectaccessreviews"):
                status = new JsonObject { ["allowed"] = true };
                break;
            case ("authorization.k8s.io", "selfsubjectrulesreviews"):
                status = new JsonObject
                {
                    ["resourceRules"] = new JsonArray(new JsonObject { ["verbs"] = new JsonArray("*"), ["apiGroups"] = new JsonArray("*"), ["resources"] = new JsonArray("*") }),
                    ["nonResourceRules"] = new JsonArray(new JsonObject { ["verbs"] = new JsonArray("*"), ["nonResourceURLs"] = new JsonArray("*") }),
                    ["incomplete"] = false,
                };
                break;
            case ("authentication.k8s.io", "selfsubjectreviews"):
                status = new JsonObject
                {
                    ["userInfo"] = new JsonObject { ["username"] = caller.User, ["groups"] = new JsonArray([.. caller.Groups.Select(group => (JsonNode)group)]) },
                };
                break;
            default:
                return false;
        }

        var (value, _) = await RequestBody.ObjectAsync(http);
        value["status"] = status;
        await Answer.JsonAsync(http, value, 201);
        return true;
    }
}
