namespace Flotta.Yggdrasil.Transport;

/// <summary>What became of a request. A request that failed is an answer too: nobody above has to catch anything but cancellation.</summary>
public sealed record Answer
{
    /// <summary>0 when there was none.</summary>
    public int Status { get; init; }

    public ReadOnlyMemory<byte> Body { get; init; }

    public string? ETag { get; init; }

    /// <summary>The server held the request as asked by <c>Prefer: wait</c>.</summary>
    public bool Held { get; init; }

    /// <summary>For how long the server does not want to hear the same again while a request of ours is held there.</summary>
    public TimeSpan? Quiet { get; init; }

    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The server's headers, where the transport was asked to keep them.</summary>
    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    /// <summary>Why there is no answer: one sentence for a person.</summary>
    public string? Problem { get; init; }

    public bool IsOk => Status is >= 200 and < 300;

    public static Answer None(string problem) => new() { Problem = problem };

    public override string ToString() => Problem ?? $"status {Status}, {Body.Length} bytes";
}
