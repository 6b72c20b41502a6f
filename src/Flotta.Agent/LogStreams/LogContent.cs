using System.Net;
using System.Net.Http.Headers;
using Flotta.Wire;

namespace Flotta.Agent.LogStreams;

/// <summary>Lines as they are written: a record of JSON on each. Several containers may write at once; nothing is kept, who reads slowly holds them up.</summary>
internal sealed class LogContent : HttpContent
{
    /// <summary>The server's bound is lower; this is for a server that has none.</summary>
    private const long MostBytes = 80L << 20;

    private readonly WorkloadLines _lines;
    private readonly CancellationToken _end;
    private readonly SemaphoreSlim _turn = new(1);

    public LogContent(WorkloadLines lines, CancellationToken end)
    {
        (_lines, _end) = (lines, end);
        Headers.ContentType = new MediaTypeHeaderValue("application/x-ndjson");
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_end, cancellationToken);
        var written = 0L;
        // An empty line: the request is on its way before the first container says something.
        await WriteAsync("\n"u8.ToArray());
        await _lines.WriteAsync(record => WriteAsync([.. WireJson.Write(record, WireJson.Types.LogRecord), (byte)'\n']), either.Token);

        async Task WriteAsync(byte[] bytes)
        {
            await _turn.WaitAsync(either.Token);
            try
            {
                written += bytes.Length;
                if (written > MostBytes)
                    throw new IOException("more than may be sent");
                await stream.WriteAsync(bytes, either.Token);
                await stream.FlushAsync(either.Token);
            }
            finally
            {
                _turn.Release();
            }
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _turn.Dispose();
        base.Dispose(disposing);
    }
}
