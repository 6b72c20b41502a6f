using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Flotta.Wire;
using Microsoft.AspNetCore.Http;

namespace Flotta.EdgeApi.Requests;

/// <summary>The forms that our answers have. Errors are empty or JSON: yggdrasil passes bodies on as JSON and loses any other.</summary>
internal static class Answer
{
    private const string Json = "application/json";

    public static Task Nothing(HttpContext http, int status)
    {
        http.Response.StatusCode = status;
        http.Response.ContentLength = status == StatusCodes.Status304NotModified ? null : 0;
        return Task.CompletedTask;
    }

    /// <summary>An empty success in the form that the original gives it.</summary>
    public static Task Empty(HttpContext http, int status = StatusCodes.Status200OK)
    {
        http.Response.ContentType = Json;
        return Nothing(http, status);
    }

    /// <param name="atLeast">What the API server has asked of us.</param>
    public static Task Later(HttpContext http, int status, TimeSpan? atLeast = null)
    {
        // Spread: whoever was told at the same time should not come back at the same time.
        var seconds = Random.Shared.Next(1, 6) + (int)Math.Ceiling(Math.Min(atLeast?.TotalSeconds ?? 0, 60));
        http.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return Nothing(http, status);
    }

    public static Task Error(HttpContext http, int status, int code, string message)
    {
        http.Response.StatusCode = status;
        return Body(http, new ErrorBody(code, message), WireJson.Types.ErrorBody);
    }

    public static Task Error(HttpContext http, int status, string message) => Error(http, status, status, message);

    public static async Task Body<T>(HttpContext http, T value, JsonTypeInfo<T> type)
    {
        // One buffer: the body ends with a newline, and a Content-Length keeps connections simple.
        using var buffer = new MemoryStream(512);
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = type.Options.Encoder }))
            JsonSerializer.Serialize(writer, value, type);
        buffer.WriteByte((byte)'\n');
        await Bytes(http, buffer.GetBuffer().AsMemory(0, (int)buffer.Length));
    }

    public static async Task Packed(HttpContext http, ReadOnlyMemory<byte> json)
    {
        using var packed = new MemoryStream(json.Length / 3);
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(json.Span);
        http.Response.Headers.ContentEncoding = "gzip";
        await Bytes(http, packed.GetBuffer().AsMemory(0, (int)packed.Length));
    }

    public static Task Bytes(HttpContext http, ReadOnlyMemory<byte> json)
    {
        http.Response.ContentType = Json;
        http.Response.ContentLength = json.Length;
        return http.Response.Body.WriteAsync(json, http.RequestAborted).AsTask();
    }
}
