namespace Flotta.EdgeApi.Remote;

/// <summary>BACKEND=remote: what devices say and what they should run lies behind an HTTP service of somebody's own. Certificates stay ours.</summary>
/// <param name="Address">REMOTE_BACKEND_URL; the paths of the backend's API are added to it.</param>
/// <param name="Timeout">REMOTE_BACKEND_TIMEOUT, of one request.</param>
public sealed record RemoteOptions(Uri Address, TimeSpan Timeout)
{
    public static RemoteOptions From(string? address, string? timeout)
    {
        if (string.IsNullOrEmpty(address))
            throw new FormatException("BACKEND is 'remote', and so REMOTE_BACKEND_URL should be the address of the backend");
        if (!Uri.TryCreate(address.TrimEnd('/') + "/", UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            throw new FormatException($"REMOTE_BACKEND_URL is '{address}'; it should be an http or https address");
        var wait = string.IsNullOrEmpty(timeout) ? TimeSpan.FromSeconds(5) : GoDuration.Parse(timeout);
        return wait is { } positive && positive > TimeSpan.Zero
            ? new(uri, positive)
            : throw new FormatException($"REMOTE_BACKEND_TIMEOUT is '{timeout}'; it should be a duration such as 5s or 1m30s");
    }
}
