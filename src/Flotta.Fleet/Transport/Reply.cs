namespace Flotta.Fleet.Transport;

/// <summary>What became of a request; status 0 when there was no answer.</summary>
internal readonly record struct Reply(int Status, ReadOnlyMemory<byte> Body, string? ETag, TimeSpan? RetryAfter, TimeSpan Took)
{
    public bool IsOk => Status is >= 200 and < 300;

    /// <summary>The link or the server failed us, or it asks for patience; anything else is an answer.</summary>
    public bool IsTrouble => Status is 0 or 429 or >= 500;
}
