using System.Net.Sockets;
using System.Security.Cryptography;

namespace Flotta.Yggdrasil.Grpc;

/// <summary>
/// A unix socket as Go's programs write it: <c>@name</c> is abstract (no file, no permissions, one network namespace), anything else a path;
/// the environment variable puts gRPC's <c>unix:</c> in front.
/// </summary>
public sealed record SocketAddress
{
    private const int LongestPath = 107;
    private const string Letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    private SocketAddress(string text) => Text = text;

    /// <summary>Without a scheme.</summary>
    public string Text { get; }

    public bool IsAbstract => Text[0] == '@';

    public string WithScheme => "unix:" + Text;

    public static SocketAddress? Parse(string? text)
    {
        var bare = text ?? "";
        if (bare.StartsWith("unix-abstract:", StringComparison.Ordinal))
            bare = "@" + bare["unix-abstract:".Length..];
        else if (bare.StartsWith("unix:", StringComparison.Ordinal))
            bare = bare["unix:".Length..];
        if (bare.StartsWith("//", StringComparison.Ordinal))
            bare = bare[2..];
        return bare.Length is > 1 and <= LongestPath && (bare[0] is '@' or '/') && !bare.Contains('\0', StringComparison.Ordinal) ? new SocketAddress(bare) : null;
    }

    /// <summary>A new one that nobody can guess or has: the prefix and six random letters.</summary>
    public static SocketAddress Random(string prefix) => new(prefix + RandomNumberGenerator.GetString(Letters, 6));

    /// <summary>Where a worker shall listen: abstract when we are, else beside our own socket.</summary>
    public SocketAddress Beside(string name) => Random(IsAbstract ? "@" + name : Path.Combine(Path.GetDirectoryName(Text)!, name));

    public UnixDomainSocketEndPoint EndPoint() => new(IsAbstract ? "\0" + Text[1..] : Text);

    public override string ToString() => Text;
}
