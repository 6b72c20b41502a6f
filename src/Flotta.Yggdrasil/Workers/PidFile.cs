using System.Globalization;

namespace Flotta.Yggdrasil.Workers;

/// <summary>
/// Remembers a worker's process from one daemon to the next, with the time it was started at: a pid alone may be anybody's by then, and
/// the original kills whoever has it.
/// </summary>
internal static class PidFile
{
    public static void Write(string path, int pid)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (StartedAt(pid) is { } started)
            File.WriteAllText(path, string.Create(CultureInfo.InvariantCulture, $"{pid} {started}\n"));
    }

    /// <summary>The process that the file is about, if that very one still runs.</summary>
    public static int? Running(string path)
    {
        try
        {
            var parts = File.ReadAllText(path).Trim().Split(' ');
            return parts.Length == 2 && int.TryParse(parts[0], CultureInfo.InvariantCulture, out var pid) && StartedAt(pid) == parts[1] ? pid : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>In ticks since the machine started; null when there is no such process.</summary>
    public static string? StartedAt(int pid)
    {
        try
        {
            // The name in the second field may have blanks and brackets; the last bracket ends it. What follows is the third field on.
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            const int StartTime = 22 - 3;
            return fields[0] is "Z" or "X" ? null : fields[StartTime];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException or IndexOutOfRangeException)
        {
            return null;
        }
    }
}
