using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Verbs;

internal sealed class Update(ObjectChanges changes, TimeProvider time)
{
    public async Task HandleAsync(ObjectRequest request)
    {
        var form = Answer.Form(request.Http);
        var options = WriteOptions.From(request);
        var (value, duplicates) = await RequestBody.ObjectAsync(request.Http);
        Incoming.Accept(request.Served, value, duplicates, options);
        var conditional = !KindRules.AllowsUnconditionalUpdate(request.Served);
        var made = await changes.UpdateAsync(
            request.Served, request.Key, request.Subresource, _ => (JsonObject)value.DeepClone(), conditional, options, request.Aborted);
        Answer.Warn(request.Http, options.Warnings);
        await Answer.ObjectAsync(request, form, made.Object, time);
    }
}
