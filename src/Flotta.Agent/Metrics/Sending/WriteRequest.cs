using System.Buffers;
using System.Text;

namespace Flotta.Agent.Metrics;

/// <summary>
/// Prometheus remote write 1.0: the few protobuf messages of it, written by hand.
/// WriteRequest { repeated TimeSeries timeseries = 1 } · TimeSeries { repeated Label labels = 1; repeated Sample samples = 2 }
/// · Label { string name = 1; string value = 2 } · Sample { double value = 1; int64 timestamp = 2 }
/// </summary>
internal static class WriteRequest
{
    public const string DeviceLabel = "edgedeviceid";

    public static byte[] Encode(IEnumerable<StoredSample> samples, string deviceId)
    {
        // Grouped by series, each in the order of time: so a receiver wants it.
        var series = new Dictionary<LabelSet, List<StoredSample>>();
        foreach (var sample in samples)
        {
            if (!series.TryGetValue(sample.Labels, out var of))
                series[sample.Labels] = of = [];
            of.Add(sample);
        }

        var request = new ArrayBufferWriter<byte>();
        var one = new ArrayBufferWriter<byte>();
        var part = new ArrayBufferWriter<byte>();
        foreach (var (labels, of) in series)
        {
            one.ResetWrittenCount();
            foreach (var (name, value) in WithDevice(labels, deviceId))
            {
                part.ResetWrittenCount();
                Text(part, 1, name);
                Text(part, 2, value);
                Bytes(one, 1, part.WrittenSpan);
            }

            foreach (var sample in of)
            {
                part.ResetWrittenCount();
                Tag(part, 1, 1);
                Varint.WriteDouble(part, sample.Value);
                Tag(part, 2, 0);
                Varint.Write(part, (ulong)sample.Time);
                Bytes(one, 2, part.WrittenSpan);
            }

            Bytes(request, 1, one.WrittenSpan);
        }

        return request.WrittenSpan.ToArray();
    }

    private static IEnumerable<KeyValuePair<string, string>> WithDevice(LabelSet labels, string deviceId)
    {
        var told = false;
        foreach (var label in labels.Labels())
        {
            if (!told && string.CompareOrdinal(label.Key, DeviceLabel) >= 0)
            {
                told = true;
                yield return new(DeviceLabel, deviceId);
            }

            if (label.Key != DeviceLabel)
                yield return label;
        }

        if (!told)
            yield return new(DeviceLabel, deviceId);
    }

    private static void Text(ArrayBufferWriter<byte> to, int field, string text) => Bytes(to, field, Encoding.UTF8.GetBytes(text));

    private static void Bytes(ArrayBufferWriter<byte> to, int field, ReadOnlySpan<byte> bytes)
    {
        Tag(to, field, 2);
        Varint.Write(to, (ulong)bytes.Length);
        to.Write(bytes);
    }

    private static void Tag(ArrayBufferWriter<byte> to, int field, int wireType) => Varint.Write(to, (ulong)(field << 3 | wireType));
}
