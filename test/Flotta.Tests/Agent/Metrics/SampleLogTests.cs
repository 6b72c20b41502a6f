using CsCheck;
using Flotta.Agent.Metrics;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Agent.Metrics;

public sealed class SampleLogTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("flotta-metrics-").FullName;
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddDays(20_000));

    private static readonly Gen<double> Values = Gen.OneOf(
        Gen.Double,
        Gen.Int.Select(whole => (double)whole),
        Gen.Int[0, 7].Select(i => new[] { 0, -0.0, double.NaN, double.PositiveInfinity, double.NegativeInfinity, double.MaxValue, 1L << 53, -(1L << 53) }[i]));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void What_is_written_is_read_the_same() =>
        Gen.Select(Gen.Int[0, 20], Values, Gen.Long[0, 4_000_000_000_000].Nullable()).Array[1, 30].Array[1, 10].Sample(records =>
        {
            var (writer, reader) = (new SampleCodec(), new SampleCodec());
            foreach (var record in records)
            {
                var samples = record.Select(one => new Sample(Series(one.Item1), one.Item2, one.Item3)).ToArray();
                var buffer = new System.Buffers.ArrayBufferWriter<byte>();
                writer.Write(buffer, 1234, samples);
                reader.Read(buffer.WrittenSpan).Select(sample => (sample.Labels, BitConverter.DoubleToInt64Bits(sample.Value), sample.Time))
                    .ShouldBe(samples.Select(sample => (sample.Labels, BitConverter.DoubleToInt64Bits(sample.Value), sample.Time ?? 1234)));
            }
        });

    [Fact]
    public void Samples_come_out_in_the_order_in_which_they_went_in()
    {
        using var log = Open();
        Append(log, 1, 2, 3);
        Append(log, 4);
        log.Read(10_000)!.Samples.Select(sample => sample.Value).ShouldBe([1, 2, 3, 4]);
        log.Read(10_000).ShouldBeNull();
        Append(log, 5);
        log.Read(10_000)!.Samples.Single().Value.ShouldBe(5);
    }

    [Fact]
    public void What_arrived_is_not_sent_again_after_a_restart_and_the_rest_is()
    {
        using (var log = Open())
        {
            Append(log, 1);
            log.Acknowledge(log.Read(1)!.Next);
            Append(log, 2);
            log.Read(1).ShouldNotBeNull();
            Append(log, 3);
        }

        using var again = Open();
        Append(again, 4);
        All(again).ShouldBe([2, 3, 4]);
    }

    [Fact]
    public void A_damaged_tail_is_cut_and_the_rest_survives_wherever_it_was_cut()
    {
        using (var log = Open())
        {
            Append(log, 1);
            Append(log, 2);
        }

        var file = Directory.GetFiles(_folder, "*.samples").Single();
        var whole = File.ReadAllBytes(file);
        for (var length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(file, whole[..length]);
            using (var log = Open())
            {
                Append(log, 9);
                All(log).ShouldBe(length < 16 ? [9] : length < FirstRecordEnd(whole) ? [9] : [1, 9]);
            }

            foreach (var left in Directory.GetFiles(_folder))
                File.Delete(left);
        }
    }

    [Fact]
    public void A_flipped_bit_costs_what_is_behind_it_in_its_segment_and_nothing_else()
    {
        using (var log = Open())
            Append(log, 1);
        using (var log = Open())
            Append(log, 2);
        var first = Directory.GetFiles(_folder, "*.samples").Order(StringComparer.Ordinal).First();
        var bytes = File.ReadAllBytes(first);
        bytes[^1] ^= 1;
        File.WriteAllBytes(first, bytes);
        using var again = Open();
        All(again).ShouldBe([2]);
    }

    [Fact]
    public void What_the_bound_of_bytes_forces_out_is_the_oldest_and_is_counted()
    {
        using var log = Open(new Retention(TimeSpan.FromDays(36_500), 256 << 10));
        long written = 0;
        var random = new Random(1);
        for (; written < 100_000; written += 500)
            log.Append(written, [.. Enumerable.Range(0, 500).Select(i => new Sample(Series(i), random.NextDouble()))]);
        log.Bytes.ShouldBeLessThanOrEqualTo(256 << 10);
        var lost = log.TakeLost();
        lost.ShouldBeGreaterThan(0);
        var left = 0;
        long? first = null;
        while (log.Read(500) is { } batch)
        {
            left += batch.Samples.Count;
            first ??= batch.Samples[0].Time;
        }

        (lost + left).ShouldBe(written);
        first.ShouldBe(lost);
        log.TakeLost().ShouldBe(0);
    }

    [Fact]
    public void What_is_older_than_the_bound_of_hours_goes()
    {
        using (var log = Open(new Retention(TimeSpan.FromHours(1), 1 << 20)))
            Append(log, 1, 2);
        _time.Advance(TimeSpan.FromMinutes(30));
        using (var log = Open(new Retention(TimeSpan.FromHours(1), 1 << 20)))
            Append(log, 3);
        _time.Advance(TimeSpan.FromMinutes(61));
        using var again = Open(new Retention(TimeSpan.FromHours(1), 1 << 20));
        Append(again, 4);
        again.TakeLost().ShouldBe(2 + 1);
        All(again).ShouldBe([4]);
    }

    [Fact]
    public void A_segment_that_has_arrived_is_deleted()
    {
        using var log = Open(new Retention(TimeSpan.FromDays(36_500), 1 << 20));
        for (var i = 0; i < 40_000; i += 500)
            log.Append(i, [.. Enumerable.Range(0, 500).Select(n => new Sample(Series(n), Math.Sqrt(i + n)))]);
        while (log.Read(500) is { } batch)
            log.Acknowledge(batch.Next);
        Directory.GetFiles(_folder, "*.samples").Length.ShouldBe(1);
        log.TakeLost().ShouldBe(0);
    }

    [Fact]
    public void A_thousand_series_that_change_a_little_cost_a_few_bytes_each()
    {
        using var log = Open();
        for (var scrape = 0; scrape < 20; scrape++)
            log.Append(scrape * 60_000L, [.. Enumerable.Range(0, 1000).Select(i => new Sample(Series(i), scrape * 100 * (i % 4)))]);
        (log.Bytes / 20_000.0).ShouldBeLessThan(6);
    }

    private SampleLog Open(Retention? retention = null) => new(_folder, retention ?? Retention.Default, _time);

    private void Append(SampleLog log, params double[] values) =>
        log.Append(_time.GetUtcNow().ToUnixTimeMilliseconds(), [.. values.Select((value, index) => new Sample(Series(index), value))]);

    private static List<double> All(SampleLog log)
    {
        var all = new List<double>();
        while (log.Read(10_000) is { } batch)
            all.AddRange(batch.Samples.Select(sample => sample.Value));
        return all;
    }

    private static LabelSet Series(int number) => LabelSet.Of([new(LabelSet.NameLabel, "m"), new("n", $"{number}"), new("ä", "ö")]);

    private static int FirstRecordEnd(byte[] segment) => 16 + 8 + BitConverter.ToInt32(segment, 16);
}
