using System.Net;
using CsCheck;
using Flotta.Agent.Duties;
using Flotta.Agent.Metrics;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Agent.Metrics;

public sealed class RemoteWriteTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("flotta-metrics-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void What_is_compressed_can_be_read_again() =>
        Gen.OneOf(Gen.Byte.Array[0, 300], Gen.Byte[0, 3].Array[0, 3000], Gen.Byte[0, 1].Array[65_000, 140_000]).Sample(
            bytes =>
            {
                var compressed = new byte[Snappy.MostBytes(bytes.Length)];
                RemoteWriteReader.Decompress(compressed.AsSpan(0, Snappy.Compress(bytes, compressed))).ShouldBe(bytes);
            },
            iter: 200);

    [Fact]
    public void Repeated_text_becomes_small()
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 1000).Select(i => $"node_network_receive_bytes_total eth{i % 3} ")));
        var compressed = new byte[Snappy.MostBytes(bytes.Length)];
        Snappy.Compress(bytes, compressed).ShouldBeLessThan(bytes.Length / 10);
    }

    [Fact]
    public void A_request_has_series_with_sorted_labels_and_the_device()
    {
        var one = LabelSet.Of([new("zone", "a"), new(LabelSet.NameLabel, "m"), new("app", "b"), new("edgedeviceid", "forged")]);
        var other = LabelSet.Of([new(LabelSet.NameLabel, "n")]);
        var request = WriteRequest.Encode([new(one, 1000, 1.5), new(other, 1000, double.NaN), new(one, 2000, -2)], "dev1");
        var series = RemoteWriteReader.Read(request);
        series.Select(of => string.Join(',', of.Labels)).ShouldBe(["__name__=m,app=b,edgedeviceid=dev1,zone=a", "__name__=n,edgedeviceid=dev1"]);
        series[0].Samples.ShouldBe([(1000, 1.5), (2000, -2.0)]);
        double.IsNaN(series[1].Samples.Single().Value).ShouldBeTrue();
    }

    [Theory]
    [InlineData(200, "Taken")]
    [InlineData(204, "Taken")]
    [InlineData(400, "Refused")]
    [InlineData(413, "Refused")]
    [InlineData(401, "Later")]
    [InlineData(404, "Later")]
    [InlineData(429, "Later")]
    [InlineData(301, "Later")]
    [InlineData(500, "Later")]
    [InlineData(503, "Later")]
    public void An_answer_is_about_the_content_or_about_the_way_there(int status, string verdict) => Delivery.Of((HttpStatusCode)status).ToString().ShouldBe(verdict);

    [Fact]
    public async Task A_sample_that_is_refused_costs_only_itself()
    {
        using var site = new Site(_folder);
        site.Log.Append(1, [.. Enumerable.Range(0, 100).Select(i => Numbered(i))]);
        site.Receiver.Answer = series => series.Any(value => value == 37) ? new Delivery(Verdict.Refused, "400") : new Delivery(Verdict.Taken);
        await site.RunUntilAsync(() => site.Receiver.Taken.Count == 99);
        site.Receiver.Taken.Order().ShouldBe(Enumerable.Range(0, 100).Where(i => i != 37).Select(i => (double)i));
        await Eventually.True(() => site.Report.Said.Any(said => said.Contains("MetricsRefused: The metrics receiver refuses 1 samples", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_receiver_that_refuses_everything_gets_a_bounded_number_of_requests_and_what_comes_next_is_taken()
    {
        using var site = new Site(_folder);
        site.Log.Append(1, [.. Enumerable.Range(0, 500).Select(i => Numbered(i))]);
        site.Log.Append(2, [Numbered(1000)]);
        site.Receiver.Answer = series => series.All(value => value < 1000) ? new Delivery(Verdict.Refused, "400") : new Delivery(Verdict.Taken);
        await site.RunUntilAsync(() => site.Receiver.Taken.Contains(1000), most: 500);
        site.Receiver.Requests.ShouldBeLessThan(200);
    }

    [Fact]
    public async Task A_receiver_that_is_away_gets_everything_in_order_and_once_when_it_is_back()
    {
        using var site = new Site(_folder);
        for (var i = 0; i < 50; i++)
            site.Log.Append(i, [Numbered(i)]);
        var failures = 5;
        site.Receiver.Answer = _ => failures-- > 0 ? new Delivery(Verdict.Later, "no route to host") : new Delivery(Verdict.Taken);
        await site.RunUntilAsync(() => site.Receiver.Taken.Count == 50);
        site.Receiver.Taken.ShouldBe(Enumerable.Range(0, 50).Select(i => (double)i));
        site.Report.Said.ShouldContain("MetricsReceiverUnreachable: Metrics wait on the device: no route to host");
        site.Report.Said.ShouldContain("MetricsReceiverReachable: The metrics receiver takes metrics again");
        site.Delivers.Distinct().ShouldBe(["no route to host", null]);
    }

    [Fact]
    public async Task The_receiver_says_when_to_come_back()
    {
        using var site = new Site(_folder);
        site.Log.Append(1, [Numbered(1)]);
        var asked = new List<DateTimeOffset>();
        site.Receiver.Answer = _ =>
        {
            asked.Add(site.Time.GetUtcNow());
            return asked.Count == 1 ? new Delivery(Verdict.Later, "429", TimeSpan.FromMinutes(7)) : new Delivery(Verdict.Taken);
        };
        await site.RunUntilAsync(() => site.Receiver.Taken.Count == 1);
        (asked[1] - asked[0]).ShouldBeGreaterThanOrEqualTo(TimeSpan.FromMinutes(7));
        (asked[1] - asked[0]).ShouldBeLessThan(TimeSpan.FromMinutes(9));
    }

    private static Sample Numbered(int number) => new(LabelSet.Of([new(LabelSet.NameLabel, "m")]), number, 1_000_000 + number);

    private sealed class Site(string folder) : IDisposable
    {
        public FakeTimeProvider Time { get; } = new(DateTimeOffset.UnixEpoch.AddDays(20_000));

        public SampleLog Log => field ??= new SampleLog(folder, Retention.Default, Time);

        public FakeReceiver Receiver { get; } = new();

        public SpokenReport Report { get; } = new();

        public List<string?> Delivers { get; } = [];

        public async Task RunUntilAsync(Func<bool> condition, int most = 10_000)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            using var stored = new Signal();
            var running = Task.Run(() => new SendLoop(Log, Receiver, "dev1", most, Report, NullLogger.Instance, Time) { Delivers = Delivers.Add }.RunAsync(stored, stop.Token));
            await Eventually.True(() =>
            {
                Time.Advance(TimeSpan.FromSeconds(1));
                return condition();
            });
            await stop.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(running);
        }

        public void Dispose() => Log.Dispose();
    }

    private sealed class FakeReceiver : IReceiver
    {
        public Func<IReadOnlyList<double>, Delivery> Answer { get; set; } = _ => new Delivery(Verdict.Taken);

        public List<double> Taken { get; } = [];

        public int Requests { get; private set; }

        public Task<Delivery> SendAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
        {
            Requests++;
            var values = RemoteWriteReader.Read(RemoteWriteReader.Decompress(request.Span)).SelectMany(series => series.Samples).Select(sample => sample.Value).ToList();
            var delivery = Answer(values);
            if (delivery.Verdict == Verdict.Taken)
                Taken.AddRange(values);
            return Task.FromResult(delivery);
        }
    }
}

internal sealed class SpokenReport : IDutyReport
{
    private readonly System.Collections.Concurrent.ConcurrentQueue<string> _said = new();

    public IReadOnlyCollection<string> Said => _said;

    public void Warn(string reason, string message) => _said.Enqueue($"{reason}: {message}");

    public void Info(string reason, string message) => _said.Enqueue($"{reason}: {message}");
}
