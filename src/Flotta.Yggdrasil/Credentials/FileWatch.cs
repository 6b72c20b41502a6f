namespace Flotta.Yggdrasil.Credentials;

/// <summary>Whether any of a few files was replaced since it was last asked. Asks their dates: works on every file system, and costs nothing.</summary>
public sealed class FileWatch(IEnumerable<string> files)
{
    private readonly IReadOnlyList<string> _files = [.. files];
    private string? _seen;

    public bool HasChanged()
    {
        var now = string.Join('|', _files.Select(file => new FileInfo(file) is { Exists: true } info ? FormattableString.Invariant($"{info.LastWriteTimeUtc.Ticks},{info.Length}") : "absent"));
        var changed = _seen is not null && _seen != now;
        _seen = now;
        return changed;
    }
}
