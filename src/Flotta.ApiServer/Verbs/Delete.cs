using System.Text.Json.Nodes;
using Flotta.ApiServer.Discovery;

namespace Flotta.ApiServer.Verbs;

internal sealed class Delete(ObjectChanges changes, TimeProvider time)
{
    public async Task HandleAsync(ObjectRequest request)
    {
        var form = Answer.Form(request.Http);
        var options = await DeleteOptions.FromAsync(request);
        var result = await changes.DeleteAsync(request.Served, request.Key, options, request.Aborted);
        // What is gone is told by a Status; what still waits for its finalizers is shown.
        if (result.Gone)
            await Answer.JsonAsync(request.Http, Success(request.Served, result.Json));
        else
            await Answer.ObjectAsync(request, form, result.Json, time);
    }

    private static JsonObject Success(ServedResource served, byte[] json)
    {
        var details = new JsonObject { ["name"] = Json.Object(json)["metadata"]!["name"]?.DeepClone() };
        if (served.Definition.Group.Length > 0)
            details["group"] = served.Definition.Group;
        details["kind"] = served.Definition.Plural;
        details["uid"] = Json.Object(json)["metadata"]!["uid"]?.DeepClone();
        return new JsonObject { ["kind"] = "Status", ["apiVersion"] = "v1", ["metadata"] = new JsonObject(), ["status"] = "Success", ["details"] = details };
    }
}
