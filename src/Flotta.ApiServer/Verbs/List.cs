using System.Text;
using System.Text.Json.Nodes;
using Flotta.ApiServer.Storage;
using Flotta.ApiServer.Tables;

namespace Flotta.ApiServer.Verbs;

internal sealed class List(ObjectStore store, KeptPages pages, TimeProvider time)
{
    private const string TooOldPage =
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue "
        + "token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, "
        + "modified, or deleted between the time the first chunk was returned and now may show up in the list.";

    public async Task HandleAsync(ObjectRequest request)
    {
        var form = Answer.Form(request.Http);
        ListOptions.Check(request);
        request.Number("timeoutSeconds");
        var selection = ObjectSelection.From(request);
        var page = Page(request, selection);
        if (form is { Kind: OutputKind.Object, Yaml: false })
        {
            await WriteAsync(request, page);
            return;
        }

        var values = page.Items.Select(one => WireForm.Parse(one, request.Served));
        var definition = request.Served.Definition;
        var list = form.Kind == OutputKind.Object
            ? new JsonObject { ["kind"] = definition.ListKind, ["apiVersion"] = definition.ApiVersion, ["metadata"] = Metadata(page), ["items"] = new JsonArray([.. values]) }
            : form.Kind == OutputKind.Table
            ? Table.Render(request.Served.Definition, values, Metadata(page), Answer.Include(request), true, form.Version, time.GetUtcNow())
            : new JsonObject
            {
                ["kind"] = "PartialObjectMetadataList",
                ["apiVersion"] = "meta.k8s.io/" + form.Version,
                ["metadata"] = Metadata(page),
                ["items"] = new JsonArray([.. values.Select(one => WireForm.PartialMetadata(one, form.Version))]),
            };
        await Answer.JsonAsync(request.Http, list);
    }

    private ListPage Page(ObjectRequest request, ObjectSelection selection)
    {
        var limit = request.Number("limit");
        var token = request.Query("continue") is { Length: > 0 } text ? ContinueToken.Parse(text) : null;
        var state = State(request, token);
        var items = selection.Of(state, token is null ? null : (token.Namespace, token.Name));
        if (limit == 0)
            return new ListPage(items.ToList(), state.Revision, null, null);
        var some = items.Take((int)Math.Min(limit, int.MaxValue - 1) + 1).ToList();
        if (some.Count <= limit)
            return new ListPage(some, state.Revision, null, null);
        some.RemoveAt(some.Count - 1);
        pages.Keep(request.Served.Resource, state);
        var last = some[^1].Key;
        // With a selector the real server does not tell either: it would have to look at everything.
        long? remaining = selection.IsEverything ? selection.Of(state, (last.Namespace, last.Name)).LongCount() : null;
        return new ListPage(some, state.Revision, new ContinueToken(state.Revision, last.Namespace, last.Name), remaining);
    }

    private StoreState State(ObjectRequest request, ContinueToken? token)
    {
        var now = store.State;
        if (token is not null && request.ResourceVersion() is > 0)
            throw new StatusException(Status.BadRequest("specifying resource version is not allowed when using continue"));
        if (token is { Revision: >= 0 } && token.Revision != now.Revision)
        {
            return At(request, token.Revision, now) ?? throw new StatusException(
                Status.Expired(TooOldPage) with { ContinueAt = (token with { Revision = -1 }).ToString() });
        }

        if (token is not null || request.ResourceVersion() is not { } asked || asked == 0 || asked == now.Revision)
            return now;
        if (asked > now.Revision)
            throw new StatusException(Status.TooLargeVersion(asked, now.Revision));
        // With a limit, and nothing said, it is meant exactly.
        if (request.Query("resourceVersionMatch") == ListOptions.Exact || (request.Number("limit") > 0 && request.Query("resourceVersionMatch").Length == 0))
            return At(request, asked, now) ?? throw new StatusException(Status.Expired($"The resourceVersion for the provided list is too old."));
        return now;
    }

    // Kept, or made from the history as long as there is all of it.
    private StoreState? At(ObjectRequest request, long revision, StoreState now) =>
        pages.Find(request.Served.Resource, revision) ?? (revision > now.Revision ? null : store.StateAt(request.Served.Resource, revision));

    private static async Task WriteAsync(ObjectRequest request, ListPage page)
    {
        var http = request.Http;
        var definition = request.Served.Definition;
        http.Response.ContentType = "application/json";
        var head = new JsonObject { ["kind"] = definition.ListKind, ["apiVersion"] = definition.ApiVersion, ["metadata"] = Metadata(page) }.ToJsonString(Json.Relaxed);
        var size = page.Items.Sum(one => (long)one.Json.Length);
        await using var packed = size >= 128 * 1024 && Answer.AcceptsGzip(http) ? Answer.Pack(http) : null;
        // Items are small; the network wants them in larger portions.
        await using var stream = new BufferedStream(packed ?? http.Response.BodyWriter.AsStream(), 64 * 1024);
        await stream.WriteAsync(Encoding.UTF8.GetBytes(head[..^1] + ",\"items\":["), http.RequestAborted);
        var first = true;
        foreach (var one in page.Items)
        {
            if (!first)
                await stream.WriteAsync(Comma, http.RequestAborted);
            first = false;
            await stream.WriteAsync(WireForm.Of(one, request.Served), http.RequestAborted);
        }

        await stream.WriteAsync(End, http.RequestAborted);
    }

    private static readonly byte[] Comma = [(byte)','];
    private static readonly byte[] End = [(byte)']', (byte)'}', (byte)'\n'];

    private static JsonObject Metadata(ListPage page)
    {
        var metadata = new JsonObject { ["resourceVersion"] = page.Revision.ToString(System.Globalization.CultureInfo.InvariantCulture) };
        if (page.Continue is not null)
            metadata["continue"] = page.Continue.ToString();
        if (page.Remaining is not null)
            metadata["remainingItemCount"] = page.Remaining;
        return metadata;
    }

    private sealed record ListPage(IReadOnlyList<StoredObject> Items, long Revision, ContinueToken? Continue, long? Remaining);
}
