using System.Globalization;

namespace Flotta.Agent.Workloads;

/// <summary>
/// Would a container's first process notice SIGTERM? The kernel ignores it for a first process that has no handler (a shell, a plain httpd),
/// so all of the grace period would be waited for nothing.
/// </summary>
internal static class TerminationSignal
{
    private const ulong Bit = 1UL << (15 - 1);

    /// <param name="proc">/proc, or a stand-in for it.</param>
    /// <returns>True also when it cannot be told.</returns>
    public static bool IsNoticed(string proc, int pid)
    {
        if (pid <= 0)
            return true;
        try
        {
            var masks = File.ReadLines(Path.Combine(proc, pid.ToString(CultureInfo.InvariantCulture), "status"))
                .Where(line => line.StartsWith("SigCgt:", StringComparison.Ordinal) || line.StartsWith("SigBlk:", StringComparison.Ordinal))
                .Select(line => ulong.Parse(line.AsSpan(7).Trim(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture))
                .ToList();
            // Blocked: it may be waited for by sigwait or a signalfd.
            return masks.Count == 0 || masks.Exists(mask => (mask & Bit) != 0);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException or OverflowException)
        {
            return true;
        }
    }
}
