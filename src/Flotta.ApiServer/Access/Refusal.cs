using System.Text.Json.Nodes;
using Flotta.ApiServer.Access.Rights;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Verbs;

namespace Flotta.ApiServer.Access;

/// <summary>403 in the real server's words.</summary>
internal static class Refusal
{
    public static Status Of(Caller caller, AccessQuestion asked, Decision decision)
    {
        var why = asked.Refusal(caller.User) + (decision.Reason.Length > 0 ? ": " + decision.Reason : "");
        var details = new JsonObject();
        if (asked.Name.Length > 0)
            details["name"] = asked.Name;
        if (asked.Group.Length > 0)
            details["group"] = asked.Group;
        if (asked.Resource.Length > 0)
            details["kind"] = asked.Resource;
        var resource = asked.Group.Length == 0 ? asked.Resource : $"{asked.Resource}.{asked.Group}";
        var message = !asked.IsResource ? $"forbidden: {why}" : asked.Name.Length > 0 ? $"{resource} {GoText.Quote(asked.Name)} is forbidden: {why}" : $"{resource} is forbidden: {why}";
        return new Status(403, "Forbidden", message, details);
    }
}
