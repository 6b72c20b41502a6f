using System.Globalization;
using System.Runtime.InteropServices;
using Flotta.Wire;

namespace Flotta.Agent.Hardware;

internal static class ProcessorFacts
{
    private const int MaxFlags = 300;

    public static Cpu Read(MachineFiles files)
    {
        var lines = files.Lines("/proc/cpuinfo");
        string? Value(params string[] keys) => keys.Select(key => lines.Select(line => Pair(line, key)).FirstOrDefault(value => value is not null)).FirstOrDefault(value => value is not null);
        var count = lines.Count(line => Pair(line, "processor") is not null);
        return new Cpu
        {
            Architecture = files.Text("/proc/sys/kernel/arch") ?? RuntimeInformation.OSArchitecture switch
            {
                Architecture.X64 => "x86_64",
                Architecture.Arm64 => "aarch64",
                var other => other.ToString().ToLowerInvariant(),
            },
            Count = count > 0 ? count : Environment.ProcessorCount,
            // Arm names no model there; the board does.
            ModelName = MachineFiles.Cut(Value("model name", "Hardware") ?? files.Text("/proc/device-tree/model") ?? "unknown"),
            Flags = [.. (Value("flags", "Features") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Take(MaxFlags).Select(MachineFiles.Cut)],
            Frequency = files.Number("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq") is { } kilohertz
                ? kilohertz / 1000.0
                : double.TryParse(Value("cpu MHz"), NumberStyles.Float, CultureInfo.InvariantCulture, out var megahertz) ? Math.Round(megahertz) : null,
        };
    }

    public static MemoryInfo? Memory(MachineFiles files)
    {
        var total = files.Lines("/proc/meminfo").Select(line => Pair(line, "MemTotal")).FirstOrDefault(value => value is not null);
        if (!long.TryParse(total?.Split(' ')[0], CultureInfo.InvariantCulture, out var kilobytes))
            return null;
        var usable = kilobytes * 1024;
        var blocks = files.Names("/sys/devices/system/memory").Count(name => name.StartsWith("memory", StringComparison.Ordinal) && char.IsAsciiDigit(name[^1]));
        var physical = long.TryParse(files.Text("/sys/devices/system/memory/block_size_bytes"), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var size) ? blocks * size : 0;
        return new MemoryInfo(Math.Max(physical, usable), usable);
    }

    private static string? Pair(string line, string key)
    {
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && line.AsSpan(0, colon).Trim().SequenceEqual(key) ? line[(colon + 1)..].Trim() : null;
    }
}
