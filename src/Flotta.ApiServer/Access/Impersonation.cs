using Flotta.ApiServer.Access.Rights;
using Flotta.ApiServer.Verbs;
using Microsoft.AspNetCore.Http;

namespace Flotta.ApiServer.Access;

/// <summary>`kubectl --as alice --as-group dev`: who may act as somebody else does, with that one's rights and no others.</summary>
internal sealed class Impersonation(Authorization authorization)
{
    private const string User = "Impersonate-User";
    private const string Group = "Impersonate-Group";
    private const string Uid = "Impersonate-Uid";
    private const string Extra = "Impersonate-Extra-";
    private const string AuthenticationGroup = "authentication.k8s.io";

    /// <returns>The caller itself when it acts as nobody.</returns>
    /// <exception cref="StatusException">It may not act as that one.</exception>
    public Caller Of(HttpContext http, Caller caller)
    {
        var headers = http.Request.Headers;
        var user = headers[User].ToString();
        var groups = headers[Group].OfType<string>().ToList();
        var uid = headers[Uid].ToString();
        var extra = headers.Where(one => one.Key.StartsWith(Extra, StringComparison.OrdinalIgnoreCase))
            .ToDictionary(one => Uri.UnescapeDataString(one.Key[Extra.Length..]).ToLowerInvariant(), one => (IReadOnlyList<string>)[.. one.Value.OfType<string>()], StringComparer.Ordinal);
        if (user.Length == 0)
        {
            return groups.Count == 0 && uid.Length == 0 && extra.Count == 0
                ? caller
                : throw new StatusException(Status.Internal("requested groups, uid or extra without impersonating a user"));
        }

        var account = AccountName.Parse(user);
        Require(caller, account is { } one ? Question("", "serviceaccounts", "", one.Namespace, one.Name) : Question("", "users", "", "", user));
        foreach (var group in groups)
            Require(caller, Question("", "groups", "", "", group));
        if (uid.Length > 0)
            Require(caller, Question(AuthenticationGroup, "uids", "", "", uid));
        foreach (var (key, values) in extra)
        {
            foreach (var value in values)
                Require(caller, Question(AuthenticationGroup, "userextras", key, "", value));
        }

        if (groups.Count == 0 && account is { } its)
            groups.AddRange(AccountName.GroupsOf(its.Namespace));
        var authenticated = user != "system:anonymous";
        var everybody = authenticated ? Caller.Authenticated : "system:unauthenticated";
        if (!groups.Contains(everybody, StringComparer.Ordinal))
            groups.Add(everybody);
        return new Caller(user, groups) { Uid = uid, Extra = extra, By = caller };
    }

    private void Require(Caller caller, AccessQuestion asked)
    {
        var decision = authorization.Check(caller, asked);
        if (!decision.Allowed)
            throw new StatusException(Refusal.Of(caller, asked, decision));
    }

    private static AccessQuestion Question(string group, string resource, string subresource, string @namespace, string name) =>
        new("impersonate", group, "v1", resource, subresource, @namespace, name);
}
