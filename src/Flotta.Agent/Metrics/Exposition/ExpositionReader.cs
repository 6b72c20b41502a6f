using System.Text;
using System.Text.Unicode;

namespace Flotta.Agent.Metrics;

/// <summary>How much is taken from one target in one scrape.</summary>
internal sealed record ScrapeLimits
{
    /// <summary>After decompression.</summary>
    public int MostBytes { get; init; } = 8 << 20;

    public int LongestLine { get; init; } = 16 << 10;

    public int MostSamples { get; init; } = 20_000;

    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(15);
}

/// <summary>Reads a scrape as it comes in, so that memory goes by what is kept and not by what a target sends.</summary>
internal static class ExpositionReader
{
    public static async Task<IReadOnlyList<Sample>> ReadAsync(
        Stream stream,
        bool openMetrics,
        IReadOnlyList<KeyValuePair<string, string>> own,
        Func<string, bool> wanted,
        ScrapeLimits limits,
        CancellationToken cancellationToken)
    {
        var samples = new List<Sample>();
        var buffer = new byte[limits.LongestLine];
        var (filled, total) = (0, 0);
        while (true)
        {
            var count = await stream.ReadAsync(buffer.AsMemory(filled), cancellationToken);
            filled += count;
            if ((total += count) > limits.MostBytes)
                throw new ExpositionException($"it answers with more than {limits.MostBytes >> 10} KiB");
            var start = 0;
            for (int length; (length = buffer.AsSpan(start, filled - start).IndexOf((byte)'\n')) >= 0; start += length + 1)
            {
                if (IsEnd(buffer.AsSpan(start, length), openMetrics))
                    return samples;
                Keep(buffer.AsSpan(start, length));
            }

            buffer.AsSpan(start, filled - start).CopyTo(buffer);
            filled -= start;
            if (filled == buffer.Length)
                throw new ExpositionException($"it answers with a line of more than {limits.LongestLine >> 10} KiB");
            if (count > 0)
                continue;
            // OpenMetrics says when it is whole; one that was cut off would look like counters that went away.
            if (openMetrics && !IsEnd(buffer.AsSpan(0, filled), openMetrics))
                throw new ExpositionException("its answer was cut off");
            Keep(buffer.AsSpan(0, filled));
            return samples;
        }

        void Keep(ReadOnlySpan<byte> line)
        {
            if (!Utf8.IsValid(line))
                throw new ExpositionException("its answer is not UTF-8");
            if (ExpositionLine.Read(Encoding.UTF8.GetString(line), openMetrics, own, wanted) is not { } sample)
                return;
            samples.Add(sample);
            if (samples.Count > limits.MostSamples)
                throw new ExpositionException($"it has more than {limits.MostSamples} samples");
        }
    }

    private static bool IsEnd(ReadOnlySpan<byte> line, bool openMetrics) => openMetrics && line.TrimEnd("\r "u8).SequenceEqual("# EOF"u8);
}
