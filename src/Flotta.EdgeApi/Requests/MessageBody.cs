using System.Buffers;
using System.Net.Http.Headers;
using Flotta.Wire;
using Microsoft.AspNetCore.Http;

namespace Flotta.EdgeApi.Requests;

/// <summary>A POST's message, or why it is none. <paramref name="Status"/> is 0 when all is well.</summary>
internal readonly record struct MessageBody(Message? Message, int Status, int Code, string? Problem)
{
    private const string KnownTypes = "[connection-status command event data]";

    /// <summary>Of a body that needed no reading.</summary>
    public static MessageBody Known { get; } = new(null, 0, 0, null);

    /// <param name="known">Looks at the bytes first.</param>
    public static async Task<MessageBody> ReadAsync(HttpContext http, Func<ReadOnlySpan<byte>, bool>? known = null)
    {
        var request = http.Request;
        if (request.ContentLength is 0 || (request.ContentLength == null && !CanHaveBody(http)))
            return Missing();
        if (!IsJson(request.ContentType))
            return new(null, 415, 415, "unsupported media type, only [application/json] is allowed");
        var bytes = ArrayPool<byte>.Shared.Rent((int)Math.Min(request.ContentLength ?? 16 * 1024, 1024 * 1024) + 1);
        try
        {
            (bytes, var length) = await FillAsync(request.Body, bytes, http.RequestAborted);
            if (known != null && length > 0 && known(bytes.AsSpan(0, length)))
                return Known;
            // As from the original, a body of white space is none.
            return bytes.AsSpan(0, length).IndexOfAnyExcept(" \t\r\n"u8) < 0 ? Missing() : Parse(bytes.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    internal static MessageBody Parse(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var message = WireJson.Read(bytes, WireJson.Types.Message);
            return string.IsNullOrEmpty(message.Type) || MessageTypes.IsKnown(message.Type)
                ? new(message, 0, 0, null)
                : new(null, 422, 606, $"type in body should be one of {KnownTypes}");
        }
        catch (WireFormatException problem)
        {
            return new(null, 400, 400, $"parsing message body from \"\" failed, because {problem.Message}");
        }
    }

    private static MessageBody Missing() => new(null, 422, 602, "message in body is required");

    // The limit of a body is the server's; reading past it throws.
    private static async Task<(byte[] Bytes, int Length)> FillAsync(Stream body, byte[] bytes, CancellationToken cancellationToken)
    {
        var length = 0;
        while (true)
        {
            var read = await SomeAsync(body, bytes.AsMemory(length), cancellationToken);
            if (read == 0)
                return (bytes, length);
            length += read;
            if (length < bytes.Length)
                continue;
            var larger = ArrayPool<byte>.Shared.Rent(bytes.Length * 2);
            bytes.AsSpan(0, length).CopyTo(larger);
            // Not given back here: when the next read fails, the caller still has it and gives it back, and what is given back twice has two owners.
            bytes = larger;
        }
    }

    // A chunk whose size is no number of this world ends as a failure of the connection; it is the sender's.
    private static async ValueTask<int> SomeAsync(Stream body, Memory<byte> into, CancellationToken cancellationToken)
    {
        try
        {
            return await body.ReadAsync(into, cancellationToken);
        }
        catch (IOException broken) when (broken is not BadHttpRequestException)
        {
            throw new BadHttpRequestException("the body cannot be read", StatusCodes.Status400BadRequest, broken);
        }
    }

    private static bool CanHaveBody(HttpContext http) =>
        http.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestBodyDetectionFeature>()?.CanHaveBody ?? false;

    private static bool IsJson(string? contentType) =>
        contentType is "application/json" || (MediaTypeHeaderValue.TryParse(contentType, out var type) && string.Equals(type.MediaType, "application/json", StringComparison.OrdinalIgnoreCase));
}
