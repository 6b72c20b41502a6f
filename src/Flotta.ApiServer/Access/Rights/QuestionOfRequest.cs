using Flotta.ApiServer.Selection;
using Flotta.ApiServer.Verbs;
using Microsoft.AspNetCore.Http;

namespace Flotta.ApiServer.Access.Rights;

/// <summary>From a request to the question that rules answer, as the real server takes it apart.</summary>
internal static class QuestionOfRequest
{
    /// <param name="http">The request.</param>
    /// <param name="path">Taken apart; null: it is no resource's.</param>
    public static AccessQuestion From(HttpContext http, ResourcePath? path)
    {
        var method = http.Request.Method;
        if (path is null)
            return AccessQuestion.OfPath(method.ToLowerInvariant(), http.Request.Path.Value ?? "/");
        var named = path.Name.Length > 0;
        var verb = method switch
        {
            "GET" or "HEAD" when path.Subresource.Length == 0 && (path.Watch || ObjectRequest.IsTrue(http, "watch")) => "watch",
            "GET" or "HEAD" => named ? "get" : "list",
            "POST" => "create",
            "PUT" => "update",
            "PATCH" => "patch",
            "DELETE" => named ? "delete" : "deletecollection",
            _ => method.ToLowerInvariant(),
        };
        // A namespace is the folder of others and also lies in itself.
        var within = path is { Plural: "namespaces", Namespace: "" } ? path.Name : path.Namespace;
        var name = !named && verb is "list" or "watch" or "deletecollection" && path.Name.Length == 0 ? NameSelected(http) : path.Name;
        return new AccessQuestion(verb, path.Group, path.Version, path.Plural, path.Subresource, within, name);
    }

    // Who may only read one object by its name may also watch that one.
    private static string NameSelected(HttpContext http)
    {
        var text = http.Request.Query["fieldSelector"].ToString();
        if (!text.Contains("metadata.name", StringComparison.Ordinal))
            return "";
        try
        {
            return FieldSelector.NameIn(text);
        }
        catch (SelectorException)
        {
            return "";
        }
    }
}
