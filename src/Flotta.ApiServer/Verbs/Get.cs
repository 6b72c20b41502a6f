using Flotta.ApiServer.Storage;

namespace Flotta.ApiServer.Verbs;

internal sealed class Get(ObjectStore store, TimeProvider time)
{
    public Task HandleAsync(ObjectRequest request)
    {
        var form = Answer.Form(request.Http);
        var found = store.State.Get(request.Key) ?? throw new StatusException(Status.NotFound(request.Served.Definition, request.Name));
        return Answer.ObjectAsync(request, form, found, time);
    }
}
