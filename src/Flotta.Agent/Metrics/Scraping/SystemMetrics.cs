using System.Globalization;
using Flotta.Agent.Hardware;

namespace Flotta.Agent.Metrics;

/// <summary>
/// The machine's metrics under node_exporter's names, without node_exporter: those of the default list, and processor time, load, start and
/// the rest of memory and network. Cheap enough to be read every few seconds.
/// </summary>
internal sealed class SystemMetrics(MachineFiles files)
{
    public const string Source = "system";

    /// <summary>What is kept where the configuration names nothing.</summary>
    public static IReadOnlyList<string> DefaultNames { get; } =
    [
        "node_cpu_frequency_hertz", "node_cpu_scaling_frequency_hertz", "node_cpu_scaling_frequency_min_hertz", "node_cpu_scaling_frequency_max_hertz",
        "node_disk_read_bytes_total", "node_disk_written_bytes_total",
        "node_memory_MemAvailable_bytes", "node_memory_MemFree_bytes", "node_memory_MemTotal_bytes",
        "node_network_info", "node_network_receive_bytes_total", "node_network_transmit_bytes_total",
    ];

    private static readonly string[] Modes = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"];
    private static readonly string[] Received = ["bytes", "packets", "errs", "drop", "fifo", "frame", "compressed", "multicast"];
    private static readonly string[] Sent = ["bytes", "packets", "errs", "drop", "fifo", "colls", "carrier", "compressed"];

    private static readonly (string File, string Name)[] FrequencyFiles =
    [
        ("cpuinfo_cur_freq", "node_cpu_frequency_hertz"),
        ("cpuinfo_min_freq", "node_cpu_frequency_min_hertz"),
        ("cpuinfo_max_freq", "node_cpu_frequency_max_hertz"),
        ("scaling_cur_freq", "node_cpu_scaling_frequency_hertz"),
        ("scaling_min_freq", "node_cpu_scaling_frequency_min_hertz"),
        ("scaling_max_freq", "node_cpu_scaling_frequency_max_hertz"),
    ];

    private static readonly (int Column, string Name, double Factor)[] DiskColumns =
    [
        (3, "node_disk_reads_completed_total", 1), (5, "node_disk_read_bytes_total", 512), (6, "node_disk_read_time_seconds_total", 0.001),
        (7, "node_disk_writes_completed_total", 1), (9, "node_disk_written_bytes_total", 512), (10, "node_disk_write_time_seconds_total", 0.001),
        (11, "node_disk_io_now", 1), (12, "node_disk_io_time_seconds_total", 0.001),
    ];

    public IReadOnlyList<Sample> Read(Func<string, bool> wanted)
    {
        var samples = new List<Sample>();
        foreach (var (name, value, labels) in Memory().Concat(Processors()).Concat(Frequencies()).Concat(Disks()).Concat(Traffic()).Concat(Interfaces()).Concat(Load()))
        {
            if (wanted(name))
                samples.Add(new Sample(LabelSet.Of([new(LabelSet.NameLabel, name), .. labels, new(WorkloadTarget.SourceLabel, Source)]), value));
        }

        return samples;
    }

    private readonly record struct Reading(string Name, double Value, params KeyValuePair<string, string>[] Labels);

    private IEnumerable<Reading> Memory()
    {
        foreach (var line in files.Lines("proc/meminfo"))
        {
            var words = Words(line);
            if (words.Length < 2 || !Number(words[1], out var value))
                continue;
            var name = words[0].TrimEnd(':').Replace('(', '_').Replace(")", "", StringComparison.Ordinal);
            yield return words.Length > 2 && words[2] == "kB" ? new Reading($"node_memory_{name}_bytes", value * 1024) : new Reading($"node_memory_{name}", value);
        }
    }

    private IEnumerable<Reading> Processors()
    {
        foreach (var line in files.Lines("proc/stat"))
        {
            var words = Words(line);
            if (words is ["btime", var since] && Number(since, out var seconds))
                yield return new Reading("node_boot_time_seconds", seconds);
            if (words.Length < 2 || !words[0].StartsWith("cpu", StringComparison.Ordinal) || words[0].Length == 3)
                continue;
            for (var i = 0; i < Modes.Length && i + 1 < words.Length; i++)
            {
                // USER_HZ is 100 on every machine that Linux runs containers on.
                if (Number(words[i + 1], out var ticks))
                    yield return new Reading("node_cpu_seconds_total", ticks / 100, new("cpu", words[0][3..]), new("mode", Modes[i]));
            }
        }
    }

    private IEnumerable<Reading> Frequencies()
    {
        foreach (var folder in files.Names("sys/devices/system/cpu").Where(name => name.Length > 3 && name.StartsWith("cpu", StringComparison.Ordinal) && name.AsSpan(3).IndexOfAnyExceptInRange('0', '9') < 0))
        {
            foreach (var (file, name) in FrequencyFiles)
            {
                if (Number(files.Text($"sys/devices/system/cpu/{folder}/cpufreq/{file}"), out var kilohertz))
                    yield return new Reading(name, kilohertz * 1000, new KeyValuePair<string, string>("cpu", folder[3..]));
            }
        }
    }

    private IEnumerable<Reading> Disks()
    {
        foreach (var line in files.Lines("proc/diskstats"))
        {
            var words = Words(line);
            if (words.Length < 14 || IsPartOrMemory(words[2]))
                continue;
            var device = new KeyValuePair<string, string>("device", words[2]);
            foreach (var (column, name, factor) in DiskColumns)
            {
                if (Number(words[column], out var value))
                    yield return new Reading(name, value * factor, device);
            }
        }
    }

    private IEnumerable<Reading> Traffic()
    {
        foreach (var line in files.Lines("proc/net/dev"))
        {
            if (line.LastIndexOf(':') is not (> 0 and var colon))
                continue;
            var words = Words(line[(colon + 1)..]);
            var device = new KeyValuePair<string, string>("device", line[..colon].Trim());
            for (var i = 0; i < words.Length && i < 16; i++)
            {
                if (Number(words[i], out var value))
                    yield return new Reading(i < 8 ? $"node_network_receive_{Received[i]}_total" : $"node_network_transmit_{Sent[i - 8]}_total", value, device);
            }
        }
    }

    private IEnumerable<Reading> Interfaces()
    {
        foreach (var device in files.Names("sys/class/net"))
        {
            string Of(string file) => files.Text($"sys/class/net/{device}/{file}") ?? "";
            yield return new Reading(
                "node_network_info",
                1,
                new("device", device),
                new("address", Of("address")),
                new("broadcast", Of("broadcast")),
                new("duplex", Of("duplex")),
                new("ifalias", Of("ifalias")),
                new("operstate", Of("operstate")));
            yield return new Reading("node_network_up", Of("operstate") == "up" ? 1 : 0, new KeyValuePair<string, string>("device", device));
        }
    }

    private IEnumerable<Reading> Load()
    {
        var words = Words(files.Text("proc/loadavg") ?? "");
        for (var i = 0; i < 3 && i < words.Length; i++)
        {
            if (Number(words[i], out var load))
                yield return new Reading(i switch { 0 => "node_load1", 1 => "node_load5", _ => "node_load15" }, load);
        }
    }

    // As node_exporter by default: whole disks, neither their parts nor memory that looks like one.
    private static bool IsPartOrMemory(string device) =>
        device.StartsWith("ram", StringComparison.Ordinal) || device.StartsWith("loop", StringComparison.Ordinal) || device.StartsWith("fd", StringComparison.Ordinal)
        || (char.IsAsciiDigit(device[^1]) && (device.StartsWith("sd", StringComparison.Ordinal) || device.StartsWith("hd", StringComparison.Ordinal)
            || device.StartsWith("vd", StringComparison.Ordinal) || device.StartsWith("xvd", StringComparison.Ordinal)
            || (device.StartsWith("nvme", StringComparison.Ordinal) && device.LastIndexOf('p') > 4)));

    private static string[] Words(string line) => line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);

    private static bool Number(string? text, out double number) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number);
}
