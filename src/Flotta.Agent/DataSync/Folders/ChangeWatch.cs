namespace Flotta.Agent.DataSync;

/// <summary>
/// Says that something below a folder may have changed, so that nobody has to look. Where the kernel has no more watches to give it says so,
/// and somebody looks now and then.
/// </summary>
internal sealed class ChangeWatch : IDisposable
{
    private readonly FileSystemWatcher? _watcher;

    public ChangeWatch(string folder, Action changed)
    {
        try
        {
            _watcher = new FileSystemWatcher(folder)
            {
                IncludeSubdirectories = true,
                NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite | NotifyFilters.Size,
            };
            _watcher.Changed += (_, _) => changed();
            _watcher.Created += (_, _) => changed();
            _watcher.Renamed += (_, _) => changed();
            _watcher.Error += (_, _) =>
            {
                // Too much at once, or no more watches for new folders.
                Works = false;
                changed();
            };
            _watcher.EnableRaisingEvents = true;
            Works = true;
        }
        catch (Exception exception) when (exception is IOException or ArgumentException or UnauthorizedAccessException)
        {
            _watcher?.Dispose();
            _watcher = null;
        }
    }

    public bool Works { get; private set; }

    public void Dispose() => _watcher?.Dispose();
}
