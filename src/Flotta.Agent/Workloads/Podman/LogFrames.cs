using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Flotta.Agent.Workloads;

/// <summary>Takes podman's stream of logs apart: frames of a head of eight bytes and a line, which begins with its time. What is longer than a line of syslog is cut.</summary>
internal static class LogFrames
{
    private const int HeadBytes = 8;
    private const int LongestLine = 16 << 10;

    public static async IAsyncEnumerable<(DateTimeOffset Time, string Text)> ReadAsync(Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var head = new byte[HeadBytes];
        var kept = new byte[LongestLine];
        while (await stream.ReadAtLeastAsync(head, HeadBytes, throwOnEndOfStream: false, cancellationToken) == HeadBytes)
        {
            if (head[0] > 2 || head[1] != 0 || head[2] != 0 || head[3] != 0)
                throw new IOException("podman's logs are not framed as they should be");
            var rest = BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(4));
            var length = (int)Math.Min(rest, LongestLine);
            if (await stream.ReadAtLeastAsync(kept.AsMemory(0, length), length, throwOnEndOfStream: false, cancellationToken) < length)
                yield break;
            var line = Line(kept.AsSpan(0, length));
            var beyond = new byte[1024];
            for (rest -= (uint)length; rest > 0;)
            {
                var count = await stream.ReadAsync(beyond.AsMemory(0, (int)Math.Min(rest, 1024)), cancellationToken);
                if (count == 0)
                    yield break;
                rest -= (uint)count;
            }

            if (line is { } whole)
                yield return whole;
        }
    }

    internal static (DateTimeOffset Time, string Text)? Line(ReadOnlySpan<byte> bytes)
    {
        var text = Encoding.UTF8.GetString(bytes).TrimEnd('\n', '\r');
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        return space > 0 && DateTimeOffset.TryParse(text.AsSpan(0, space), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? (time, text[(space + 1)..])
            : null;
    }
}
