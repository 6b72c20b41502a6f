using System.Globalization;
using System.Text.Json.Nodes;
using Flotta.ApiServer.Storage;

namespace Flotta.ApiServer.Verbs;

internal sealed class DeleteCollection(ObjectStore store, ObjectChanges changes)
{
    public async Task HandleAsync(ObjectRequest request)
    {
        ListOptions.Check(request);
        var selection = ObjectSelection.From(request);
        var options = await DeleteOptions.FromAsync(request);
        var state = store.State;
        var items = new JsonArray();
        // A portion at a time in flight: the store commits them together.
        foreach (var some in selection.Of(state, null).Chunk(64))
        {
            var results = await Task.WhenAll(some.Select(one => DeleteAsync(request, one, options)));
            foreach (var result in results.OfType<JsonObject>())
                items.Add((JsonNode)result);
        }

        await Answer.JsonAsync(request.Http, new JsonObject
        {
            ["kind"] = request.Served.Definition.ListKind, ["apiVersion"] = request.Served.Definition.ApiVersion,
            ["metadata"] = new JsonObject { ["resourceVersion"] = state.Revision.ToString(CultureInfo.InvariantCulture) }, ["items"] = items,
        });
    }

    private async Task<JsonObject?> DeleteAsync(ObjectRequest request, StoredObject one, DeleteOptions options)
    {
        try
        {
            return WireForm.Parse((await changes.DeleteAsync(request.Served, one.Key, options, request.Aborted)).Object, request.Served);
        }
        catch (StatusException e) when (e.Status.Code == 404)
        {
            return null;
        }
    }
}
