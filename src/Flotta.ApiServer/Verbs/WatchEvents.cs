using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json.Nodes;
using Flotta.ApiServer.Storage;
using Flotta.ApiServer.Tables;

namespace Flotta.ApiServer.Verbs;

/// <summary>The lines of one watch.</summary>
internal sealed class WatchEvents(ObjectRequest request, OutputForm form, ObjectSelection selection, PipeWriter output, TimeProvider time)
{
    private const int Enough = 64 * 1024;

    private bool columnsSent;

    public bool IsFull => output.UnflushedBytes >= Enough;

    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        var flushed = await output.FlushAsync(cancellationToken);
        if (flushed.IsCompleted)
            throw new OperationCanceledException("the client has gone");
    }

    public async ValueTask ExistingAsync(StoredObject one, CancellationToken cancellationToken)
    {
        Write("ADDED", one);
        if (IsFull)
            await FlushAsync(cancellationToken);
    }

    /// <summary>As the watcher's selection sees it: what begins to match is added, what no longer does is deleted.</summary>
    public void Change(Change change)
    {
        var before = change.Previous is not null && selection.Matches(change.Previous);
        var after = change.Kind != ChangeKind.Deleted && selection.Matches(change.Object);
        switch (before, after)
        {
            case (false, true):
                Write("ADDED", change.Object);
                break;
            case (true, true):
                Write("MODIFIED", change.Object);
                break;
            case (true, false) when change.Kind == ChangeKind.Deleted:
                Write("DELETED", change.Object);
                break;
            case (true, false):
                Write("DELETED", AsOf(change.Previous!, change.Object.Revision));
                break;
        }
    }

    public void Bookmark(long revision, bool initialEventsEnd)
    {
        var definition = request.Served.Definition;
        var metadata = new JsonObject { ["resourceVersion"] = revision.ToString(CultureInfo.InvariantCulture), ["creationTimestamp"] = null };
        if (initialEventsEnd)
            metadata["annotations"] = new JsonObject { ["k8s.io/initial-events-end"] = "true" };
        var value = new JsonObject { ["kind"] = definition.Kind, ["apiVersion"] = definition.ApiVersion, ["metadata"] = metadata };
        if (form.Kind == OutputKind.Table)
            value = Rows(value);
        else if (form.Kind == OutputKind.PartialMetadata)
            value = WireForm.PartialMetadata(value, form.Version);
        Write("BOOKMARK", Encoding.UTF8.GetBytes(value.ToJsonString(Json.Relaxed)));
    }

    public void Error(Status status) => Write("ERROR", Encoding.UTF8.GetBytes(status.ToJson().ToJsonString(Json.Relaxed)));

    // The last state that matched, at the revision at which it ceased to.
    private static StoredObject AsOf(StoredObject one, long revision)
    {
        var value = Json.Object(one.Json);
        value["metadata"]!["resourceVersion"] = revision.ToString(CultureInfo.InvariantCulture);
        return new StoredObject(one.Key, revision, Encoding.UTF8.GetBytes(value.ToJsonString(Json.Relaxed)), one.WrittenAt);
    }

    private void Write(string type, StoredObject one)
    {
        if (form.Kind == OutputKind.Object)
        {
            Write(type, WireForm.Of(one, request.Served).Span);
            return;
        }

        var value = WireForm.Parse(one, request.Served);
        value = form.Kind == OutputKind.Table ? Rows(value) : WireForm.PartialMetadata(value, form.Version);
        Write(type, Encoding.UTF8.GetBytes(value.ToJsonString(Json.Relaxed)));
    }

    private JsonObject Rows(JsonObject value)
    {
        var metadata = new JsonObject { ["resourceVersion"] = value["metadata"]!["resourceVersion"]?.DeepClone() };
        var rows = Table.Render(request.Served.Definition, [value], metadata, Answer.Include(request), !columnsSent, form.Version, time.GetUtcNow());
        columnsSent = true;
        return rows;
    }

    private void Write(string type, ReadOnlySpan<byte> json)
    {
        output.Write("{\"type\":\""u8);
        output.Write(Encoding.ASCII.GetBytes(type));
        output.Write("\",\"object\":"u8);
        output.Write(json);
        output.Write("}\n"u8);
    }
}
