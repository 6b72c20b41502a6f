using System.Globalization;
using System.Text;

namespace Flotta.Agent.Logs;

/// <summary>One line that a container wrote, and when.</summary>
internal sealed record LogLine(string Workload, string Container, DateTimeOffset Time, string Text)
{
    public string ContainerId { get; init; } = "";

    /// <summary>What it costs to keep, more or less.</summary>
    public int Bytes => Encoding.UTF8.GetByteCount(Text) + Workload.Length + Container.Length + 64;
}

internal enum SyslogFormat
{
    /// <summary>As the original writes it: neither RFC 3164 nor 5424, a line each.</summary>
    Original,

    Rfc5424,
}

/// <summary>A line in the words of syslog: pure functions.</summary>
internal static class SyslogLine
{
    private const int Original = 6;
    private const int UserInfo = (1 * 8) + 6;

    // RFC 5424 bids every receiver take 480 bytes and most take 8 KiB; UDP fits one packet.
    public const int LongestText = 8000;
    private static readonly byte[] Mark = [0xEF, 0xBB, 0xBF];

    public static byte[] Encode(LogLine line, SyslogFormat format, string deviceId)
    {
        var text = OneLine(line.Text);
        return format == SyslogFormat.Original
            ? Encoding.UTF8.GetBytes($"<{Original}>{Time(line.Time)} {Name(deviceId, 255)} {Name(line.Workload, 255)}[0]: {Name(line.Container, 255)}: {text}")
            : [.. Encoding.UTF8.GetBytes($"<{UserInfo}>1 {Time(line.Time)} {Name(deviceId, 255)} {Name(line.Workload, 48)} - {Name(line.Container, 32)} - "), .. Mark, .. Encoding.UTF8.GetBytes(text)];
    }

    /// <summary>Over a stream: the original ends each with a new line, RFC 6587 counts bytes before it.</summary>
    public static byte[] Frame(byte[] message, SyslogFormat format) =>
        format == SyslogFormat.Original ? [.. message, (byte)'\n'] : [.. Encoding.ASCII.GetBytes(message.Length.ToString(CultureInfo.InvariantCulture) + " "), .. message];

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    // A container may not forge the line of another.
    private static string OneLine(string text)
    {
        var cut = text.Length <= LongestText ? text : text[..LongestText];
        return string.Create(cut.Length, cut, static (to, from) =>
        {
            for (var i = 0; i < from.Length; i++)
                to[i] = char.IsControl(from[i]) && from[i] != '\t' ? ' ' : from[i];
        });
    }

    private static string Name(string name, int most)
    {
        var printable = new string([.. name.Where(letter => letter is > ' ' and < '\x7F')]);
        return printable.Length == 0 ? "-" : printable[..Math.Min(printable.Length, most)];
    }
}
