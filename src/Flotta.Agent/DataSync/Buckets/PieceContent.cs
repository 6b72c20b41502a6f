using System.Buffers;
using System.Net;

namespace Flotta.Agent.DataSync;

/// <summary>The file became shorter while it was being sent.</summary>
internal sealed class PieceChangedException() : IOException("the file changed while it was being sent");

/// <summary>Part of a file as the body of a request: read as it is sent, no faster than the throttle lets it through.</summary>
internal sealed class PieceContent : HttpContent
{
    private readonly Piece _piece;
    private readonly Throttle _throttle;
    private readonly Action _moved;

    public PieceContent(Piece piece, Throttle throttle, Action moved)
    {
        (_piece, _throttle, _moved) = (piece, throttle, moved);
        Headers.ContentLength = piece.Length;
        Headers.TryAddWithoutValidation("Content-Type", "application/octet-stream");
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _piece.Length;
        return true;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
        try
        {
            _piece.File.Seek(_piece.Offset, SeekOrigin.Begin);
            for (var left = _piece.Length; left > 0;)
            {
                var count = await _piece.File.ReadAsync(buffer.AsMemory(0, (int)Math.Min(left, _throttle.AtOnce)), cancellationToken);
                if (count == 0)
                    throw new PieceChangedException();
                await _throttle.TakeAsync(count, cancellationToken);
                _moved();
                await stream.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
                left -= count;
                _moved();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
