using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Flotta.Cli.Devices;

/// <summary>A package of the agent and the kind of machine that it is for, such as <c>deb_amd64</c>.</summary>
internal sealed record AgentPackage(string Kind, byte[] Content)
{
    /// <summary>By the names that packages of Debian and of RPM systems have.</summary>
    public static string? KindOf(string file) => Path.GetExtension(file) switch
    {
        ".deb" when Path.GetFileNameWithoutExtension(file).Split('_') is [_, _, var architecture] => $"deb_{architecture}",
        ".rpm" when Path.GetFileNameWithoutExtension(file).Split('.') is [_, .., var architecture] => $"rpm_{architecture}",
        _ => null,
    };
}

/// <summary>What a machine runs to become a device: bootstrap certificate, configuration and, where wanted, the agent's package, in one file.</summary>
internal static class InstallScript
{
    public static string Of(string ca, string certificate, string key, IEnumerable<AgentPackage> packages) => Template()
        .Replace("@CA@", ca.Trim(), StringComparison.Ordinal)
        .Replace("@CERT@", certificate.Trim(), StringComparison.Ordinal)
        .Replace("@KEY@", key.Trim(), StringComparison.Ordinal)
        .Replace("@PACKAGES@", string.Concat(packages.Select(Function)), StringComparison.Ordinal);

    /// <summary>Of the authority that signs at present, the first in the file.</summary>
    public static string Fingerprint(string ca)
    {
        using var certificate = X509Certificate2.CreateFromPem(ca);
        return "sha256:" + Convert.ToHexStringLower(SHA256.HashData(certificate.RawData));
    }

    /// <summary>The one line, without a secret in it: the file goes in on standard input.</summary>
    public static string Line(string server, string fingerprint, string? id, string file) =>
        $"ssh root@NEW-DEVICE sh -s {Twice(server)} {fingerprint}{(id is null ? "" : " " + id)} < {Quoted(file)}";

    /// <summary>A word of the line, whatever is in it.</summary>
    private static string Quoted(string word) =>
        word.All(letter => char.IsAsciiLetterOrDigit(letter) || "/._-:".Contains(letter, StringComparison.Ordinal)) ? word : $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'";

    /// <summary>For the shell here and for the one there, to which ssh hands what is left. In [ADDRESS]:PORT either would see a pattern.</summary>
    private static string Twice(string server) => server.StartsWith('[') ? $"\"'{server}'\"" : server;

    private static string Function(AgentPackage package)
    {
        var text = new StringBuilder().Append("package_").Append(package.Kind).Append("() { cat <<'BASE64'\n");
        text.Append(Convert.ToBase64String(package.Content, Base64FormattingOptions.InsertLineBreaks).Replace("\r", "", StringComparison.Ordinal));
        return text.Append("\nBASE64\n}\n").ToString();
    }

    private static string Template()
    {
        using var stream = typeof(InstallScript).Assembly.GetManifestResourceStream("install.sh")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
