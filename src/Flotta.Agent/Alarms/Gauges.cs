using System.Globalization;

namespace Flotta.Agent.Alarms;

/// <summary>How much of a resource is in use, in percent.</summary>
/// <param name="root">The root of the machine's files, but in tests.</param>
internal sealed class Gauges(string root)
{
    private (long Busy, long All)? _before;

    /// <summary>Null where it cannot be told, or not yet: the CPU's is that since the last look.</summary>
    public double? Cpu()
    {
        var words = File.ReadLines(Path.Combine(root, "proc/stat")).First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        // user, nice, system, idle, iowait, irq, softirq, steal; guests are in user already.
        var ticks = words.Skip(1).Take(8).Select(word => long.Parse(word, CultureInfo.InvariantCulture)).ToArray();
        var all = ticks.Sum();
        var busy = all - ticks[3] - (ticks.Length > 4 ? ticks[4] : 0);
        var before = _before;
        _before = (busy, all);
        return before is { } last && all > last.All ? Math.Clamp(100.0 * (busy - last.Busy) / (all - last.All), 0, 100) : null;
    }

    public double? Memory()
    {
        long? total = null, available = null;
        foreach (var line in File.ReadLines(Path.Combine(root, "proc/meminfo")))
        {
            if (line.StartsWith("MemTotal:", StringComparison.Ordinal))
                total = Kilobytes(line);
            else if (line.StartsWith("MemAvailable:", StringComparison.Ordinal))
                available = Kilobytes(line);
        }

        return total is > 0 && available is not null ? 100.0 * (total.Value - available.Value) / total.Value : null;
    }

    /// <summary>As df has it: of what is there for everybody but root.</summary>
    public static double? Disk(string path)
    {
        if (!Path.IsPathFullyQualified(path) || !Directory.Exists(path))
            return null;
        var drive = new DriveInfo(path);
        var used = drive.TotalSize - drive.TotalFreeSpace;
        return used + drive.AvailableFreeSpace is > 0 and var all ? 100.0 * used / all : null;
    }

    private static long Kilobytes(string line) => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
}
