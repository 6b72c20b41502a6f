using System.Buffers.Binary;
using System.Text;
using Flotta.Agent.Metrics;

namespace Flotta.Tests.Agent.Metrics;

internal sealed record ReadSeries(IReadOnlyList<string> Labels, IReadOnlyList<(long Time, double Value)> Samples);

/// <summary>The receiving side of remote write, for tests.</summary>
internal static class RemoteWriteReader
{
    public static byte[] Decompress(ReadOnlySpan<byte> from)
    {
        var length = (int)Varint.Read(ref from);
        var to = new List<byte>(length);
        while (!from.IsEmpty)
        {
            int tag = from[0];
            from = from[1..];
            if ((tag & 3) == 0)
            {
                var count = tag >> 2;
                if (count >= 60)
                {
                    var extra = count - 59;
                    count = 0;
                    for (var i = 0; i < extra; i++)
                        count |= from[i] << (8 * i);
                    from = from[extra..];
                }

                to.AddRange(from[..(count + 1)]);
                from = from[(count + 1)..];
                continue;
            }

            (tag & 3).ShouldBe(2, "copies with two bytes of offset are all that is written");
            var offset = BinaryPrimitives.ReadUInt16LittleEndian(from);
            from = from[2..];
            offset.ShouldBeGreaterThan((ushort)0);
            for (var i = 0; i <= tag >> 2; i++)
                to.Add(to[^offset]);
        }

        to.Count.ShouldBe(length);
        return [.. to];
    }

    public static IReadOnlyList<ReadSeries> Read(ReadOnlySpan<byte> request)
    {
        var all = new List<ReadSeries>();
        while (!request.IsEmpty)
        {
            Varint.Read(ref request).ShouldBe(10u);
            all.Add(Series(Varint.ReadBytes(ref request)));
        }

        return all;
    }

    private static ReadSeries Series(ReadOnlySpan<byte> from)
    {
        var labels = new List<string>();
        var samples = new List<(long, double)>();
        while (!from.IsEmpty)
        {
            var field = Varint.Read(ref from) >> 3;
            var part = Varint.ReadBytes(ref from);
            Varint.Read(ref part);
            if (field == 1)
            {
                var name = Encoding.UTF8.GetString(Varint.ReadBytes(ref part));
                Varint.Read(ref part);
                labels.Add($"{name}={Encoding.UTF8.GetString(Varint.ReadBytes(ref part))}");
            }
            else
            {
                var value = Varint.ReadDouble(ref part);
                Varint.Read(ref part);
                samples.Add(((long)Varint.Read(ref part), value));
            }
        }

        return new ReadSeries(labels, samples);
    }
}
