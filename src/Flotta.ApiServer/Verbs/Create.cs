namespace Flotta.ApiServer.Verbs;

internal sealed class Create(ObjectChanges changes, TimeProvider time)
{
    public async Task HandleAsync(ObjectRequest request)
    {
        var form = Answer.Form(request.Http);
        var options = WriteOptions.From(request);
        var (value, duplicates) = await RequestBody.ObjectAsync(request.Http);
        var made = await changes.CreateAsync(request.Served, request.Namespace, value, duplicates, options, request.Aborted);
        Answer.Warn(request.Http, options.Warnings);
        await Answer.ObjectAsync(request, form, made.Object, time, 201);
    }
}
