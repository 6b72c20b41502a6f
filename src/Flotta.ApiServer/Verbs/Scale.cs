using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Storage;
using Flotta.ApiServer.Tables;
using Microsoft.AspNetCore.Http;

namespace Flotta.ApiServer.Verbs;

/// <summary>The scale subresource: an autoscaling/v1 Scale that is a view of a few fields of the object, wherever its definition says they are.</summary>
internal sealed class Scale(ObjectStore store, ObjectChanges changes, TimeProvider time)
{
    private const string Accepted = "application/json-patch+json, application/merge-patch+json, " + Apply.MediaType;

    public Task GetAsync(ObjectRequest request)
    {
        var form = Answer.Form(request.Http);
        var found = store.State.Get(request.Key) ?? throw new StatusException(Status.NotFound(request.Served.Definition, request.Name));
        var paths = request.Served.Definition.Scale!;
        var item = WireForm.Parse(found, request.Served);
        if (ScaleKind.At(item, paths.SpecReplicasPath).AsInteger() is null)
            throw new StatusException(Status.Internal($"the spec replicas field {GoText.Quote(paths.SpecReplicasPath)} does not exist"));
        return AnswerAsync(request, form, item);
    }

    public async Task UpdateAsync(ObjectRequest request)
    {
        var (value, duplicates) = await RequestBody.ObjectAsync(request.Http);
        await ChangeAsync(request, duplicates, _ => (JsonObject)value.DeepClone());
    }

    public async Task PatchAsync(ObjectRequest request)
    {
        var type = RequestBody.MediaType(request.Http);
        if (!Accepted.Split(", ").Contains(type, StringComparer.Ordinal))
            throw new StatusException(RequestBody.Unsupported(Accepted));
        var body = await RequestBody.ReadAsync(request.Http, type);
        if (type == Apply.MediaType)
            await ApplyAsync(request, body);
        else
            await ChangeAsync(request, body.Duplicates, scale => Patch.Patched(ScaleKind.Definition, type, scale, body.Root));
    }

    // As if the one field had been applied to the object itself.
    private async Task ApplyAsync(ObjectRequest request, ObjectBody body)
    {
        var (form, options, definition) = (Answer.Form(request.Http), WriteOptions.From(request), request.Served.Definition);
        var applied = body.Root as JsonObject ?? [];
        Incoming.Accept(ScaleKind.Served, applied, body.Duplicates, options);
        var document = new JsonObject { ["apiVersion"] = definition.ApiVersion, ["kind"] = definition.Kind, ["metadata"] = applied["metadata"]?.DeepClone() };
        if (applied["spec"].At("replicas").AsInteger() is { } replicas)
            Set(document, ScaleKind.Steps(definition.Scale!.SpecReplicasPath), replicas);
        var made = await new Apply(changes, time).RunAsync(request, new ObjectBody(document, [], null), options);
        Answer.Warn(request.Http, options.Warnings);
        await AnswerAsync(request, form, WireForm.Parse(made.Object, request.Served));
    }

    private async Task ChangeAsync(ObjectRequest request, IReadOnlyList<string> duplicates, Func<JsonObject, JsonObject> change)
    {
        var form = Answer.Form(request.Http);
        var options = WriteOptions.From(request);
        var made = await changes.UpdateAsync(
            request.Served, request.Key, request.Subresource,
            present =>
            {
                options.Warnings.Clear();
                var wanted = change(ScaleKind.Of(present, request.Served.Definition.Scale!));
                Incoming.Accept(ScaleKind.Served, wanted, duplicates, options);
                return Scaled(request, present, wanted);
            },
            conditional: false, options, request.Aborted);
        Answer.Warn(request.Http, options.Warnings);
        await AnswerAsync(request, form, WireForm.Parse(made.Object, request.Served));
    }

    private static JsonObject Scaled(ObjectRequest request, JsonObject present, JsonObject wanted)
    {
        if (wanted["metadata"].TextAt("name") is { Length: > 0 } name && name != request.Name)
            throw new StatusException(Status.BadRequest($"the name of the object ({name}) does not match the name on the URL ({request.Name})"));
        var scaled = (JsonObject)present.DeepClone();
        Set(scaled, ScaleKind.Steps(request.Served.Definition.Scale!.SpecReplicasPath), wanted["spec"].At("replicas").AsInteger() ?? 0);
        foreach (var identity in (ReadOnlySpan<string>)["uid", "resourceVersion"])
        {
            if (wanted["metadata"].TextAt(identity) is { Length: > 0 } said)
                scaled["metadata"]![identity] = said;
        }

        return scaled;
    }

    private Task AnswerAsync(ObjectRequest request, OutputForm form, JsonObject item)
    {
        var scale = ScaleKind.Of(item, request.Served.Definition.Scale!);
        if (form.Kind == OutputKind.Table)
        {
            var metadata = new JsonObject { ["resourceVersion"] = scale["metadata"].TextAt("resourceVersion") };
            scale = Table.Render(ScaleKind.Definition, [scale], metadata, Answer.Include(request), true, form.Version, time.GetUtcNow());
        }
        else if (form.Kind == OutputKind.PartialMetadata)
        {
            scale = WireForm.PartialMetadata(scale, form.Version);
        }

        return Answer.JsonAsync(request.Http, scale, StatusCodes.Status200OK);
    }

    private static void Set(JsonObject item, string[] steps, long value)
    {
        foreach (var step in steps[..^1])
        {
            if (item[step] is not JsonObject next)
                item[step] = next = [];
            item = next;
        }

        item[steps[^1]] = value;
    }
}
