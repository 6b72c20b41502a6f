using System.Globalization;

namespace Flotta.Fleet.Reports;

/// <summary>What a process has used so far, from /proc; memory is its resident set.</summary>
internal sealed record ProcessUse(double CpuSeconds, double MemoryMiB)
{
    // USER_HZ: 100 on every Linux that .NET runs on.
    private const double TicksPerSecond = 100;

    /// <summary>Null when there is no such process (any more).</summary>
    public static ProcessUse? Of(int process)
    {
        try
        {
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/stat"));
            // The name in parentheses may hold spaces.
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            var ticks = long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
            return new ProcessUse(ticks / TicksPerSecond, Resident(process));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public static ProcessReport? Between(ProcessUse? before, ProcessUse? after, TimeSpan over) =>
        before is { } begun && after is { } ended
            ? new ProcessReport(
                Math.Round(ended.CpuSeconds - begun.CpuSeconds, 2),
                over > TimeSpan.Zero ? Math.Round((ended.CpuSeconds - begun.CpuSeconds) / over.TotalSeconds, 2) : 0,
                Math.Round(ended.MemoryMiB, 1))
            : null;

    private static double Resident(int process)
    {
        foreach (var line in File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/status")))
        {
            if (line.StartsWith("VmRSS:", StringComparison.Ordinal))
                return long.Parse(line.AsSpan(6).TrimEnd("kB").Trim(), CultureInfo.InvariantCulture) / 1024.0;
        }

        return 0;
    }
}
