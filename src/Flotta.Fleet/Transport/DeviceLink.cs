using System.Net.Http.Headers;
using System.Security.Authentication;
using Flotta.Fleet.Reports;
using Flotta.Yggdrasil.Credentials;
using Flotta.Yggdrasil.Transport;

namespace Flotta.Fleet.Transport;

/// <summary>One device's connection under one identity. Every request is measured; a request that fails is a reply too.</summary>
internal sealed class DeviceLink(EdgeServer server, ServerAddress address, HttpMessageInvoker invoker) : IDisposable
{
    private const int LargestBody = 16 << 20;
    private static readonly MediaTypeHeaderValue Json = new("application/json");

    public DeviceLink(EdgeServer server, ServerAddress address, Identity identity)
        : this(server, address, new HttpMessageInvoker(server.Connect(identity)))
    {
    }

    /// <summary>The same connection for another device: only of devices that have the same identity, which before they are let in all of them have.</summary>
    public DeviceLink At(ServerAddress other) => new(server, other, invoker);

    public Task<Reply> GetAsync(RequestKind kind, Channel channel, string? tag, int? hold, CancellationToken cancellationToken)
    {
        var request = Request(HttpMethod.Get, address.In(channel));
        if (tag is not null)
            request.Headers.TryAddWithoutValidation("If-None-Match", tag);
        return SendAsync(kind, request, hold, cancellationToken);
    }

    public Task<Reply> PostAsync(RequestKind kind, ReadOnlyMemory<byte> message, CancellationToken cancellationToken, int? hold = null)
    {
        var request = Request(HttpMethod.Post, address.Out(Channel.Data));
        request.Content = new ReadOnlyMemoryContent(message);
        request.Content.Headers.ContentType = Json;
        return SendAsync(kind, request, hold, cancellationToken);
    }

    public void Dispose() => invoker.Dispose();

    private HttpRequestMessage Request(HttpMethod method, Uri uri) =>
        new(method, uri) { Version = server.Http, VersionPolicy = HttpVersionPolicy.RequestVersionOrLower };

    private async Task<Reply> SendAsync(RequestKind kind, HttpRequestMessage request, int? hold, CancellationToken cancellationToken)
    {
        using var message = request;
        if (hold is { } seconds)
            request.Headers.TryAddWithoutValidation("Prefer", $"wait={seconds}");
        using var patience = new CancellationTokenSource(server.Patience + TimeSpan.FromSeconds(hold ?? 0), server.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        var started = server.Time.GetTimestamp();
        try
        {
            using var response = await invoker.SendAsync(message, either.Token);
            var body = await BodyAsync(response, either.Token);
            var took = server.Time.GetElapsedTime(started);
            var after = response.Headers.RetryAfter;
            if (after is null && (int)response.StatusCode is 429 or 503)
                server.Statistics.Failed(kind, $"{(int)response.StatusCode} without Retry-After");
            else
                server.Statistics.Answered(kind, (int)response.StatusCode, took);
            return new Reply((int)response.StatusCode, body, response.Headers.ETag?.ToString(), after?.Delta ?? (after?.Date - server.Time.GetUtcNow()), took);
        }
        catch (Exception failed) when (!cancellationToken.IsCancellationRequested && failed is OperationCanceledException or HttpRequestException or IOException)
        {
            server.Statistics.Failed(kind, Reason(failed));
            return new Reply(0, default, null, null, server.Time.GetElapsedTime(started));
        }
        catch (Exception failed) when (cancellationToken.IsCancellationRequested && failed is HttpRequestException or IOException)
        {
            // The link was cut under the request: not the server's doing.
            throw new OperationCanceledException(cancellationToken);
        }
    }

    private static async Task<byte[]> BodyAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength == 0)
            return [];
        await response.Content.LoadIntoBufferAsync(LargestBody, cancellationToken);
        return await response.Content.ReadAsByteArrayAsync(cancellationToken);
    }

    // Few and fixed, so that a report stays a report.
    private static string Reason(Exception failed) => failed switch
    {
        OperationCanceledException => "timeout",
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } => "no connection",
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => "TLS handshake failed",
        HttpRequestException { InnerException: AuthenticationException } => "TLS handshake failed",
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } => "name not resolved",
        HttpRequestException { HttpRequestError: HttpRequestError.HttpProtocolError } => "request ended by the server",
        _ => "connection lost",
    };
}
