using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Patching;

namespace Flotta.ApiServer.Verbs;

internal sealed class Patch(ObjectChanges changes, TimeProvider time)
{
    private const string Json6902 = "application/json-patch+json";
    private const string Merge = "application/merge-patch+json";
    private const string Strategic = "application/strategic-merge-patch+json";

    public async Task HandleAsync(ObjectRequest request)
    {
        var form = Answer.Form(request.Http);
        var options = WriteOptions.From(request);
        var definition = request.Served.Definition;
        var type = RequestBody.MediaType(request.Http);
        var accepted = definition.BuiltIn ? $"{Json6902}, {Merge}, {Strategic}, {Apply.MediaType}" : $"{Json6902}, {Merge}, {Apply.MediaType}";
        if (!accepted.Split(", ").Contains(type, StringComparer.Ordinal))
            throw new StatusException(RequestBody.Unsupported(accepted));
        var body = await RequestBody.ReadAsync(request.Http, type);
        var made = type == Apply.MediaType
            ? await new Apply(changes, time).RunAsync(request, body, options)
            : await changes.UpdateAsync(
                request.Served, request.Key, request.Subresource, present => Changed(request, type, present, body, options), conditional: false, options, request.Aborted);
        Answer.Warn(request.Http, options.Warnings);
        await Answer.ObjectAsync(request, form, made.Object, time, made.Created ? 201 : 200);
    }

    private static JsonObject Changed(ObjectRequest request, string type, JsonObject present, ObjectBody body, WriteOptions options)
    {
        options.Warnings.Clear();
        var patched = Patched(request.Served.Definition, type, present, body.Root);
        Incoming.Accept(request.Served, patched, body.Duplicates, options);
        return patched;
    }

    public static JsonObject Patched(ResourceDefinition definition, string type, JsonObject present, JsonNode? patch)
    {
        try
        {
            if (type == Json6902)
            {
                return JsonPatch.Apply(present, patch ?? new JsonArray()) as JsonObject
                    ?? throw new PatchException(422, "the patch leaves no object");
            }

            if (patch is not JsonObject fields)
                throw new PatchException(400, "the body of a merge patch must be an object");
            return type == Strategic ? StrategicMergePatch.Apply(present, fields, definition) : (JsonObject)MergePatch.Apply(present, fields)!;
        }
        catch (PatchException e)
        {
            throw new StatusException(e.Code == 422 ? new Status(422, "Invalid", e.Message, new JsonObject()) : Status.BadRequest(e.Message));
        }
    }
}
