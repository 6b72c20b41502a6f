using System.Buffers;
using System.Text;

namespace Flotta.Agent.Metrics;

/// <summary>A sample as it was stored: the series by its labels, when, and what.</summary>
internal readonly record struct StoredSample(LabelSet Labels, long Time, double Value);

/// <summary>
/// What the records of one segment have in common: which series there are, and what each said last. A series is written out once per segment;
/// after that a sample is one byte where nothing changed, two to five where a whole number did, and nine otherwise.
/// </summary>
internal sealed class SampleCodec
{
    private const int Same = 0;
    private const int Whole = 1;
    private const int Raw = 2;
    private const int New = 3;
    private const double LargestWhole = 1L << 53;

    private readonly Dictionary<LabelSet, int> _ids = [];
    private readonly List<LabelSet> _series = [];
    private readonly List<double> _last = [];

    /// <summary>Payload: count, time, then per sample a number (distance of the id, kind), an offset of time where it has one of its own, and the value.</summary>
    public void Write(IBufferWriter<byte> to, long time, ReadOnlySpan<Sample> samples)
    {
        Varint.Write(to, (ulong)samples.Length);
        Varint.WriteSigned(to, time);
        var previous = -1;
        foreach (var sample in samples)
        {
            var known = _ids.TryGetValue(sample.Labels, out var id);
            if (!known)
                id = Add(sample.Labels);
            var distance = id - previous;
            previous = id;
            var kind = known ? Kind(_last[id], sample.Value) : New;
            var ownTime = sample.Time is { } own && own != time;
            // The distance may be negative: zigzag first, then two bits of kind and one for the time.
            var zigzag = (uint)((distance << 1) ^ (distance >> 31));
            Varint.Write(to, ((ulong)zigzag << 3) | (uint)(kind << 1) | (ownTime ? 1u : 0));
            if (ownTime)
                Varint.WriteSigned(to, sample.Time!.Value - time);
            if (kind == New)
                WriteLabels(to, sample.Labels);
            if (kind == Whole)
                Varint.WriteSigned(to, (long)sample.Value - (long)_last[id]);
            else if (kind is Raw or New)
                Varint.WriteDouble(to, sample.Value);
            _last[id] = sample.Value;
        }
    }

    /// <exception cref="InvalidDataException">It was not written by <see cref="Write"/> after the same records.</exception>
    public IReadOnlyList<StoredSample> Read(ReadOnlySpan<byte> payload)
    {
        var count = Count(payload);
        Varint.Read(ref payload);
        var time = Varint.ReadSigned(ref payload);
        var samples = new List<StoredSample>(count);
        var id = -1;
        for (var i = 0; i < count; i++)
        {
            var head = Varint.Read(ref payload);
            var zigzag = head >> 3;
            id += (int)((long)(zigzag >> 1) ^ -(long)(zigzag & 1));
            var kind = (int)(head >> 1) & 3;
            var at = (head & 1) == 0 ? time : time + Varint.ReadSigned(ref payload);
            if (kind == New && id == _series.Count)
                Add(new LabelSet(Encoding.UTF8.GetString(Varint.ReadBytes(ref payload))));
            else if (kind == New || id < 0 || id >= _series.Count)
                throw new InvalidDataException("a series is not known");
            var value = kind switch
            {
                Same => _last[id],
                Whole => (long)_last[id] + Varint.ReadSigned(ref payload),
                _ => Varint.ReadDouble(ref payload),
            };
            _last[id] = value;
            samples.Add(new StoredSample(_series[id], at, value));
        }

        return samples;
    }

    /// <summary>How many samples a record holds, without reading it.</summary>
    public static int Count(ReadOnlySpan<byte> payload)
    {
        var count = Varint.Read(ref payload);
        return count <= (ulong)payload.Length ? (int)count : throw new InvalidDataException("there are more samples than bytes");
    }

    /// <summary>When a record was scraped, without reading the rest.</summary>
    public static long Time(ReadOnlySpan<byte> payload)
    {
        Varint.Read(ref payload);
        return Varint.ReadSigned(ref payload);
    }

    private int Add(LabelSet labels)
    {
        var id = _series.Count;
        _ids[labels] = id;
        _series.Add(labels);
        _last.Add(0);
        return id;
    }

    private static void WriteLabels(IBufferWriter<byte> to, LabelSet labels)
    {
        var bytes = Encoding.UTF8.GetBytes(labels.Packed);
        Varint.Write(to, (ulong)bytes.Length);
        to.Write(bytes);
    }

    private static int Kind(double last, double value)
    {
        if (BitConverter.DoubleToInt64Bits(last) == BitConverter.DoubleToInt64Bits(value))
            return Same;
        return IsWhole(last) && IsWhole(value) && Math.Abs(value - last) < 1L << 40 ? Whole : Raw;
    }

    // Negative zero is not one: it would come back without its sign.
    private static bool IsWhole(double number) => Math.Abs(number) < LargestWhole && Math.Floor(number) == number && !(number == 0 && double.IsNegative(number));
}
