using System.Buffers;
using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Protobuf;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Flotta.ApiServer.Verbs;

/// <summary>Reads bodies, no more than is allowed.</summary>
internal static class RequestBody
{
    public const int Limit = 3 * 1024 * 1024;

    private const int MostDiscarded = 16 * 1024 * 1024;
    private const string Accepted = "application/json, application/yaml, " + ProtobufBody.MediaType;

    public static async Task<ObjectBody> ReadAsync(HttpContext http, string mediaType)
    {
        var bytes = await BytesAsync(http);
        var body = mediaType.EndsWith("yaml", StringComparison.Ordinal) ? ObjectBody.ParseYaml(bytes.Span) : ObjectBody.ParseJson(bytes.Span);
        return body.Problem is null ? body : throw new StatusException(Status.BadRequest(body.Problem));
    }

    /// <summary>The body of a create or update.</summary>
    public static async Task<(JsonObject Value, IReadOnlyList<string> Duplicates)> ObjectAsync(HttpContext http)
    {
        var type = MediaType(http);
        if (type == ProtobufBody.MediaType)
            return (await ProtobufAsync(http), []);
        if (type is not ("" or "application/json" or "application/yaml"))
            throw new StatusException(Unsupported(Accepted));
        var body = await ReadAsync(http, type);
        return body.Root is JsonObject value
            ? (value, body.Duplicates)
            : throw new StatusException(Status.BadRequest("the body of the request must be an object"));
    }

    /// <summary>Whether there is a body. Over HTTP/2 nothing need say so but its bytes, which are left where they are.</summary>
    public static async Task<bool> IsThereAsync(HttpContext http)
    {
        if (http.Request.ContentLength is { } length)
            return length > 0;
        if (http.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false })
            return false;
        var reader = http.Request.BodyReader;
        var read = await reader.ReadAsync(http.RequestAborted);
        reader.AdvanceTo(read.Buffer.Start);
        return !read.Buffer.IsEmpty;
    }

    public static async Task<JsonObject> ProtobufAsync(HttpContext http)
    {
        var bytes = await BytesAsync(http);
        try
        {
            return ProtobufBody.Read(bytes.Span) ?? throw new StatusException(Unsupported("application/json, application/yaml"));
        }
        catch (FormatException e)
        {
            throw new StatusException(Status.BadRequest($"the body is no protobuf of Kubernetes: {e.Message}"));
        }
    }

    public static string MediaType(HttpContext http)
    {
        var type = http.Request.ContentType ?? "";
        var end = type.IndexOf(';', StringComparison.Ordinal);
        return (end < 0 ? type : type[..end]).Trim().ToLowerInvariant();
    }

    public static Status Unsupported(string accepted) =>
        new(415, "UnsupportedMediaType", $"the body of the request was in an unknown format - accepted media types include: {accepted}", new JsonObject());

    // A client that still sends when the connection closes would never see the answer.
    private static async Task DiscardAsync(HttpContext http)
    {
        if (http.Request.ContentLength > MostDiscarded || http.Features.Get<IHttpMaxRequestBodySizeFeature>() is not { IsReadOnly: false } limit)
            return;
        limit.MaxRequestBodySize = MostDiscarded;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        patience.CancelAfter(TimeSpan.FromSeconds(5));
        try
        {
            await http.Request.Body.CopyToAsync(Stream.Null, patience.Token);
        }
        catch (OperationCanceledException) when (!http.RequestAborted.IsCancellationRequested)
        {
        }
    }

    public static async Task<ReadOnlyMemory<byte>> BytesAsync(HttpContext http)
    {
        if (http.Request.ContentLength > Limit)
        {
            await DiscardAsync(http);
            throw new StatusException(Status.TooLarge(Limit));
        }

        var reader = http.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(http.RequestAborted);
            if (read.Buffer.Length > Limit)
                throw new StatusException(Status.TooLarge(Limit));
            if (read.IsCompleted)
            {
                var all = read.Buffer.ToArray();
                reader.AdvanceTo(read.Buffer.End);
                return all;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }
}
