using System.Globalization;

namespace Flotta.Agent.Hardware;

/// <summary>Small files of /proc and /sys under a root. Whatever cannot be read is absent; texts are cut to a length that a report can bear.</summary>
internal sealed class MachineFiles(string root)
{
    private const int MaxBytes = 1 << 20;
    public const int MaxText = 256;

    public string Path(string path) => System.IO.Path.Combine(root, path.TrimStart('/'));

    public bool Exists(string path) => Try(() => File.Exists(Path(path)) || Directory.Exists(Path(path)));

    /// <summary>One line, trimmed; null when absent or empty.</summary>
    public string? Text(string path)
    {
        var text = All(path)?.Trim('\0', ' ', '\n', '\t', '\r');
        return string.IsNullOrEmpty(text) ? null : Cut(text);
    }

    public long? Number(string path) => long.TryParse(Text(path), NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : null;

    public IReadOnlyList<string> Lines(string path) => All(path)?.Split('\n', StringSplitOptions.RemoveEmptyEntries) ?? [];

    /// <summary>Names in a folder, in order.</summary>
    public IReadOnlyList<string> Names(string path) =>
        Try(() => Directory.EnumerateFileSystemEntries(Path(path)).Select(entry => System.IO.Path.GetFileName(entry)).Order(StringComparer.Ordinal).ToList()) ?? [];

    /// <summary>Where a symbolic link points to, as it is written.</summary>
    public string? Link(string path) => Try(() => new FileInfo(Path(path)).LinkTarget);

    public static string Cut(string text) => text.Length <= MaxText ? text : text[..MaxText];

    private string? All(string path) => Try(() =>
    {
        // Files of /proc have no length, so the limit is on what is read.
        using var stream = new FileStream(Path(path), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1, FileOptions.None);
        using var content = new MemoryStream();
        var buffer = new byte[8192];
        for (var count = stream.Read(buffer); count > 0 && content.Length < MaxBytes; count = stream.Read(buffer))
            content.Write(buffer, 0, count);
        return System.Text.Encoding.UTF8.GetString(content.GetBuffer(), 0, (int)content.Length);
    });

    private static T? Try<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            return default;
        }
    }
}
