using System.Globalization;

namespace Flotta.Agent.Workloads;

/// <summary>An emptyDir in memory. podman makes nothing of the medium, so it becomes a volume of its own, which lives and goes with its version of the workload.</summary>
/// <param name="Bytes">Null: as the kernel limits it, half of the memory.</param>
internal sealed record MemoryVolume(string Name, long? Bytes)
{
    private static readonly (string Suffix, long Factor)[] Suffixes =
    [
        ("Ki", 1L << 10), ("Mi", 1L << 20), ("Gi", 1L << 30), ("Ti", 1L << 40), ("k", 1_000), ("M", 1_000_000), ("G", 1_000_000_000), ("T", 1_000_000_000_000), ("", 1),
    ];

    /// <summary>A quantity of Kubernetes in bytes; null when it is none.</summary>
    public static long? Parse(string quantity)
    {
        var (suffix, factor) = Array.Find(Suffixes, one => quantity.EndsWith(one.Suffix, StringComparison.Ordinal));
        return decimal.TryParse(quantity[..^suffix.Length], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number * factor is >= 1 and < long.MaxValue
            ? (long)(number * factor)
            : null;
    }

    public Dictionary<string, string> Options => new(StringComparer.Ordinal)
    {
        ["type"] = "tmpfs",
        ["device"] = "tmpfs",
        // In pages: podman takes "size" for a quota of its own, which most file systems have not.
        ["o"] = Bytes is { } bytes ? string.Create(CultureInfo.InvariantCulture, $"nr_blocks={Math.Max(1, (bytes + Environment.SystemPageSize - 1) / Environment.SystemPageSize)},mode=1777") : "mode=1777",
    };
}
