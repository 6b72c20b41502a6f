using CsCheck;
using Flotta.Fleet.Reports;

namespace Flotta.Tests.Fleet;

public sealed class HistogramTests
{
    [Fact]
    public void A_quantile_is_never_below_the_truth_and_never_more_than_a_thirty_second_above_it() =>
        Gen.Long[0, 3_600_000_000].Array[1, 200].Sample(durations =>
        {
            var histogram = new Histogram();
            foreach (var microseconds in durations)
                histogram.Record(TimeSpan.FromMicroseconds(microseconds));
            var sorted = durations.Order().ToArray();
            foreach (var share in (double[])[0.5, 0.9, 0.99, 1])
            {
                var truth = sorted[Math.Max(1, (int)Math.Ceiling(sorted.Length * share)) - 1];
                var said = (long)histogram.Quantile(share).TotalMicroseconds;
                said.ShouldBeGreaterThanOrEqualTo(truth);
                said.ShouldBeLessThanOrEqualTo(truth + (truth / 32) + 1);
            }
        });

    [Fact]
    public void Nothing_recorded_is_zero_and_nonsense_is_brought_within_bounds()
    {
        var histogram = new Histogram();
        histogram.Quantile(0.99).ShouldBe(TimeSpan.Zero);
        histogram.Report().Mean.ShouldBe(0);
        histogram.Record(TimeSpan.FromSeconds(-1));
        histogram.Record(TimeSpan.FromDays(3));
        histogram.Count.ShouldBe(2);
        histogram.Largest.ShouldBe(TimeSpan.FromHours(1));
    }

    [Fact]
    public async Task Many_may_record_at_once()
    {
        var histogram = new Histogram();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 10_000; i++)
                histogram.Record(TimeSpan.FromMicroseconds(i));
        })));
        histogram.Count.ShouldBe(40_000);
        histogram.Report().Max.ShouldBe(9.999);
    }
}
