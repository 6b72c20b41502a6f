using System.Text.Json.Nodes;
using Flotta.ApiServer.Discovery;
using Flotta.ApiServer.Storage;

namespace Flotta.ApiServer.Verbs;

internal sealed class Delete(ObjectChanges changes, TimeProvider time)
{
    public async Task HandleAsync(ObjectRequest request)
    {
        var form = Answer.Form(request.Http);
        var options = await DeleteOptions.FromAsync(request);
        var result = await changes.DeleteAsync(request.Served, request.Key, options, request.Aborted);
        Answer.Warn(request.Http, options.Warnings);
        // What is gone is told by a Status; what still waits for its finalizers is shown.
        if (result.Gone)
            await Answer.JsonAsync(request.Http, Success(request.Served, result.Object));
        else
            await Answer.ObjectAsync(request, form, result.Object, time);
    }

    private static JsonObject Success(ServedResource served, StoredObject gone)
    {
        var details = new JsonObject { ["name"] = gone.Key.Name };
        if (served.Definition.Group.Length > 0)
            details["group"] = served.Definition.Group;
        details["kind"] = served.Definition.Plural;
        details["uid"] = StoredMetadata.Of(gone).Uid;
        return new JsonObject { ["kind"] = "Status", ["apiVersion"] = "v1", ["metadata"] = new JsonObject(), ["status"] = "Success", ["details"] = details };
    }
}
