namespace Flotta.Yggdrasil.Transport;

internal static class BoundedBody
{
    /// <summary>Null when there is more than allowed; what a server says of its length is only a hint.</summary>
    public static async Task<byte[]?> ReadAsync(HttpContent content, int largest, CancellationToken cancellationToken)
    {
        if (content.Headers.ContentLength is { } length && length > largest)
            return null;
        await using var stream = await content.ReadAsStreamAsync(cancellationToken);
        using var body = new MemoryStream();
        var buffer = new byte[4096];
        int read;
        while ((read = await stream.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if (body.Length + read > largest)
                return null;
            body.Write(buffer, 0, read);
        }

        return body.ToArray();
    }
}
