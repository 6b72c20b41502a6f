using System.Globalization;
using System.Text;

namespace Flotta.Bench;

/// <summary>A thousand series as a service and its machine have them: counters of which most move a little, latencies, bytes, gauges, and some that never change. The same at each run.</summary>
internal sealed class MetricsMix
{
    public const int Series = 1000;

    private readonly Random _random = new(1);
    private readonly List<(string Name, Func<double, double> Next)> _series = [];

    public MetricsMix()
    {
        for (var path = 0; path < 30; path++)
            Service($"/api/v1/resource-{path}", Math.Pow(10, (3 * _random.NextDouble()) - 1.5));
        foreach (var cpu in Enumerable.Range(0, 8))
        {
            foreach (var (mode, share) in new[] { ("idle", 0.8), ("user", 0.1), ("system", 0.05), ("iowait", 0.02), ("softirq", 0.01), ("nice", 0), ("irq", 0), ("steal", 0) })
                Seconds($"node_cpu_seconds_total{{cpu=\"{cpu}\",mode=\"{mode}\"}}", share);
        }

        foreach (var direction in new[] { "receive", "transmit" })
        {
            for (var device = 0; device < 20; device++)
            {
                var packets = Math.Pow(10, 4 * _random.NextDouble());
                Counter($"node_network_{direction}_bytes_total{{device=\"veth{device}\"}}", packets * 700);
                Counter($"node_network_{direction}_packets_total{{device=\"veth{device}\"}}", packets);
                Counter($"node_network_{direction}_drop_total{{device=\"veth{device}\"}}", 0.01);
                Counter($"node_network_{direction}_errs_total{{device=\"veth{device}\"}}", 0);
            }
        }

        for (var process = 0; process < 42; process++)
        {
            foreach (var kind in new[] { "resident", "virtual", "heap" })
                Pages($"process_{kind}_memory_bytes{{process=\"worker-{process}\"}}");
        }

        for (var sensor = 0; sensor < 40; sensor++)
            Temperature($"sensor_temperature_celsius{{sensor=\"{sensor}\"}}");
        for (var pool = 0; pool < 40; pool++)
            Add($"pool_connections_limit{{pool=\"{pool}\"}}", _ => 100);
        if (_series.Count != Series)
            throw new InvalidOperationException($"the mix has {_series.Count} series");
    }

    /// <summary>What a scrape finds so long after the one before, in the text format.</summary>
    public string After(TimeSpan pause)
    {
        var text = new StringBuilder();
        foreach (var (name, next) in _series)
            text.Append(name).Append(' ').Append(next(pause.TotalSeconds).ToString("R", CultureInfo.InvariantCulture)).Append('\n');
        return text.ToString();
    }

    private void Service(string path, double perSecond)
    {
        foreach (var (method, code, share) in new[] { ("GET", 200, 0.8), ("GET", 304, 0.05), ("GET", 404, 0.01), ("GET", 500, 0), ("POST", 201, 0.1), ("POST", 400, 0.01), ("POST", 409, 0.001), ("POST", 500, 0) })
            Counter($"http_requests_total{{method=\"{method}\",path=\"{path}\",code=\"{code}\"}}", perSecond * share);
        double count = 0, sum = 0;
        Add($"http_request_duration_seconds_count{{path=\"{path}\"}}", seconds => count += Events(perSecond, seconds));
        foreach (var (bound, share) in new[] { ("0.005", 0.1), ("0.01", 0.3), ("0.025", 0.55), ("0.05", 0.75), ("0.1", 0.9), ("0.5", 0.97), ("1", 0.99), ("5", 0.999), ("+Inf", 1) })
            Add($"http_request_duration_seconds_bucket{{path=\"{path}\",le=\"{bound}\"}}", _ => Math.Floor(count * share));
        Add($"http_request_duration_seconds_sum{{path=\"{path}\"}}", seconds => sum += perSecond * seconds * 0.04 * _random.NextDouble());
    }

    private void Counter(string name, double perSecond)
    {
        double value = _random.Next(1_000_000);
        Add(name, seconds => value += Events(perSecond, seconds));
    }

    private void Seconds(string name, double share)
    {
        double value = _random.Next(1_000_000);
        Add(name, seconds => Math.Round(value += share * seconds * 2 * _random.NextDouble(), 2));
    }

    private void Pages(string name)
    {
        double pages = _random.Next(1_000, 100_000);
        // Now and then, as an allocator asks for more or gives some back.
        Add(name, _ => 4096 * (_random.Next(4) == 0 ? pages += _random.Next(-64, 65) : pages));
    }

    private void Temperature(string name)
    {
        double degrees = 20 + (60 * _random.NextDouble());
        Add(name, _ => Math.Round(degrees += (_random.NextDouble() - 0.5) / 2, 1));
    }

    private double Events(double perSecond, double seconds) => Math.Floor((perSecond * seconds * 2 * _random.NextDouble()) + _random.NextDouble());

    private void Add(string name, Func<double, double> next) => _series.Add((name, next));
}
