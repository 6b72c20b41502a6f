using System.Net;

namespace Flotta.Kube;

/// <summary>The API server answered, and the answer was no.</summary>
public sealed class KubeException(HttpStatusCode statusCode, string reason, string message, TimeSpan? retryAfter = null) : Exception(message)
{
    public HttpStatusCode StatusCode { get; } = statusCode;

    /// <summary>The machine-readable reason of the Status, such as <c>AlreadyExists</c>; empty when the server gave none.</summary>
    public string Reason { get; } = reason;

    public TimeSpan? RetryAfter { get; } = retryAfter;

    public bool IsNotFound => StatusCode == HttpStatusCode.NotFound;

    /// <summary>A stale resourceVersion, or a name that is taken (see <see cref="Reason"/>).</summary>
    public bool IsConflict => StatusCode == HttpStatusCode.Conflict;

    public bool IsAlreadyExists => IsConflict && string.Equals(Reason, "AlreadyExists", StringComparison.Ordinal);

    /// <summary>The resourceVersion or continue token is too old: list again.</summary>
    public bool IsGone => StatusCode == HttpStatusCode.Gone;

    /// <summary>The server is overloaded, or something behind it is away: the same may well succeed later.</summary>
    public bool IsTemporary => StatusCode is HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError;

    /// <summary>The object itself is refused: it does not fit its definition, or is too large.</summary>
    public bool IsUnfit => StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity or HttpStatusCode.RequestEntityTooLarge;

    /// <summary>Trying the same again cannot help: the object or the request itself is refused.</summary>
    public bool IsRefused => IsUnfit || StatusCode == HttpStatusCode.Forbidden;
}
