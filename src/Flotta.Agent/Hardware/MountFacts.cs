using System.Text;
using Flotta.Wire;

namespace Flotta.Agent.Hardware;

internal static class MountFacts
{
    private const int MaxMounts = 128;
    private const int MaxOptions = 128;

    // Come and go with every container and login; they would be news in every heartbeat.
    private static readonly string[] Passing = ["/overlay/", "/overlay-containers/", "/run/netns/", "/run/user/", "/run/docker/", "/proc/", "/run/credentials/"];

    public static IReadOnlyList<Mount> Read(MachineFiles files) =>
        [.. files.Lines("/proc/self/mountinfo").Select(Parse).OfType<Mount>().Where(mount => !Array.Exists(Passing, part => mount.Directory!.Contains(part, StringComparison.Ordinal))).Take(MaxMounts)];

    /// <summary>All of them, whole, in the order in which they were mounted.</summary>
    public static IReadOnlyList<Mount> OfThisMachine()
    {
        try
        {
            return [.. File.ReadLines("/proc/self/mountinfo").Select(Parse).OfType<Mount>()];
        }
        catch (IOException)
        {
            return [];
        }
    }

    /// <summary>A line of mountinfo: fields, some optional ones, a lone hyphen, and type, source and options of the file system.</summary>
    internal static Mount? Parse(string line)
    {
        var fields = line.Split(' ');
        var hyphen = Array.IndexOf(fields, "-");
        if (hyphen < 6 || fields.Length < hyphen + 4)
            return null;
        var options = fields[5].Split(',').Concat(fields[hyphen + 3].Split(',')).Distinct(StringComparer.Ordinal).Where(option => option != "rw" || !fields[5].StartsWith("ro", StringComparison.Ordinal));
        var joined = $"({string.Join(',', options)})";
        return new Mount
        {
            Device = MachineFiles.Cut(Unescape(fields[hyphen + 2])),
            Directory = MachineFiles.Cut(Unescape(fields[4])),
            Type = MachineFiles.Cut(fields[hyphen + 1]),
            Options = joined.Length <= MaxOptions ? joined : joined[..(MaxOptions - 1)] + ")",
        };
    }

    /// <summary>Space, tab, newline and backslash are written as three octal digits.</summary>
    private static string Unescape(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal))
            return text;
        var result = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] == '\\' && at + 3 < text.Length && IsOctal(text[at + 1]) && IsOctal(text[at + 2]) && IsOctal(text[at + 3]))
            {
                result.Append((char)(((text[at + 1] - '0') << 6) + ((text[at + 2] - '0') << 3) + (text[at + 3] - '0')));
                at += 3;
            }
            else
            {
                result.Append(text[at]);
            }
        }
        return result.ToString();
    }

    private static bool IsOctal(char letter) => letter is >= '0' and <= '7';
}
