using System.Net;

namespace Flotta.Agent.DataSync;

/// <summary>What the bucket's server, or the way there, has against a request; the message is for people.</summary>
internal sealed class S3Exception(string message, HttpStatusCode? status = null, string? code = null, TimeSpan? retryAfter = null) : Exception(message)
{
    /// <summary>Null: there was no answer.</summary>
    public HttpStatusCode? Status { get; } = status;

    /// <summary>The server's word for it, such as NoSuchKey.</summary>
    public string? Code { get; } = code;

    public TimeSpan? RetryAfter { get; } = retryAfter;

    /// <summary>The next request would fare no better: nobody there, too busy, or the credentials are not good.</summary>
    public bool IsAboutTheBucket => Status is null or HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError || Code == "NoSuchBucket";
}
