using System.Text;

namespace Flotta.Agent.OperatingSystem;

/// <summary>Where ostree fetches commits: a file for each remote. Of one that is there only the address is changed, so that keys and options that people gave it stay.</summary>
internal static class RemoteFile
{
    public static void Point(string root, string remote, string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https" or "file") || url.Any(char.IsControl))
            throw new HostException($"hostedObjectsURL is '{url}', which is no address of http, https or file");
        if (remote.Length == 0 || !remote.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.') || remote[0] == '.')
            throw new HostException($"the remote '{remote}' has a name that no file can have");
        var path = Path.Combine(root, "etc/ostree/remotes.d", remote + ".conf");
        var before = File.Exists(path) ? File.ReadAllText(path) : null;
        var after = Text(before, remote, url);
        if (after == before)
            return;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        Files.DurableFile.Write(path, Encoding.UTF8.GetBytes(after));
    }

    internal static string Text(string? before, string remote, string url)
    {
        // The commit is named by its checksum over an authenticated connection, and ostree checks it: a signature adds who made it, which is for people to ask for.
        if (before is null)
            return $"[remote \"{remote}\"]\nurl={url}\ngpg-verify=false\n";
        var lines = before.Split('\n').ToList();
        var index = lines.FindIndex(line => line.TrimStart().StartsWith("url=", StringComparison.Ordinal) || line.TrimStart().StartsWith("url =", StringComparison.Ordinal));
        if (index >= 0)
            lines[index] = "url=" + url;
        else
            lines.Insert(lines.FindIndex(line => line.TrimStart().StartsWith('[')) + 1, "url=" + url);
        return string.Join('\n', lines);
    }
}
