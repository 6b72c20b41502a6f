namespace Flotta.Yggdrasil.Grpc;

/// <summary>One request on a connection, and what may be sent as its answer.</summary>
internal sealed class Http2Stream(int id, string path, long window, CancellationToken connection) : IDisposable
{
    private readonly CancellationTokenSource _end = CancellationTokenSource.CreateLinkedTokenSource(connection);
    private readonly MemoryStream _body = new();

    public int Id { get; } = id;

    public string Path { get; } = path;

    /// <summary>How many bytes of data the peer takes on this stream; below zero after it took back what it had granted.</summary>
    public long Window { get; set; } = window;

    /// <summary>The peer has sent everything.</summary>
    public bool IsComplete { get; set; }

    public CancellationToken Ended => _end.Token;

    public long Received => _body.Length;

    public void Take(ReadOnlySpan<byte> data) => _body.Write(data);

    public Stream Body()
    {
        _body.Position = 0;
        return _body;
    }

    /// <summary>Nobody waits for an answer any more.</summary>
    public void Cancel() => _end.Cancel();

    public void Dispose()
    {
        _end.Dispose();
        _body.Dispose();
    }
}
