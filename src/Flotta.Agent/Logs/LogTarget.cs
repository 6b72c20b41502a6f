using Flotta.Wire;

namespace Flotta.Agent.Logs;

internal enum SyslogTransport
{
    Tcp,
    Udp,
    Tls,
}

/// <summary>Where logs go: a pure function of the configuration's entry.</summary>
/// <param name="Problem">Why nothing can be sent there; null when something can.</param>
internal sealed record LogTarget(string Name, string Host, int Port, SyslogTransport Transport, SyslogFormat Format, long BufferBytes, string? Ca, string? Problem = null)
{
    private const int DefaultKibibytes = 256;

    public static LogTarget Of(string name, LogCollection collection)
    {
        var syslog = collection.SyslogConfig;
        var words = (syslog?.Protocol is { Length: > 0 } given ? given : "tcp").Split('+', 2);
        SyslogTransport? transport = words[^1] switch { "tcp" => SyslogTransport.Tcp, "udp" => SyslogTransport.Udp, "tls" => SyslogTransport.Tls, _ => null };
        // TLS is not of the original, so whoever asks for it wants the standard too.
        SyslogFormat? format = words.Length == 1 ? transport == SyslogTransport.Tls ? SyslogFormat.Rfc5424 : SyslogFormat.Original : words[0] == "rfc5424" ? SyslogFormat.Rfc5424 : null;
        var (host, port) = Address(syslog?.Address);
        var problem = collection.Kind is not (null or "" or "syslog") ? "its kind is not syslog"
            : transport is null || format is null ? "its protocol is none of tcp, udp, rfc5424+tcp, rfc5424+udp, tls"
            : port == 0 ? "its address is not host:port"
            : null;
        var kibibytes = collection.BufferSize is > 0 and var size ? Math.Min(size, 64 << 10) : DefaultKibibytes;
        return new LogTarget(name, host, port, transport ?? SyslogTransport.Tcp, format ?? SyslogFormat.Original, kibibytes << 10, syslog?.CaCert, problem);
    }

    private static (string Host, int Port) Address(string? address)
    {
        var colon = address?.LastIndexOf(':') ?? -1;
        return colon > 0 && ushort.TryParse(address.AsSpan(colon + 1), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var port)
            ? (address![..colon].Trim('[', ']'), port)
            : ("", 0);
    }
}
