namespace Flotta.Agent.Files;

/// <summary>The agent's folder, held by a lock for as long as the process lives, however it dies.</summary>
internal sealed class DataDirectory : IDisposable
{
    private readonly FileStream _lock;

    private DataDirectory(string path, FileStream held)
    {
        Path = path;
        _lock = held;
    }

    public string Path { get; }

    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <exception cref="AgentStartException">With a sentence for a person.</exception>
    public static DataDirectory Open(string path)
    {
        var full = System.IO.Path.GetFullPath(path);
        try
        {
            // Secrets are below: only ever for the owner.
            Directory.CreateDirectory(full, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var file = new FileStream(System.IO.Path.Combine(full, "lock"), new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
            return new DataDirectory(full, file);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new AgentStartException($"The data directory {full} may not be written by this user.", exception);
        }
        catch (IOException exception) when (File.Exists(System.IO.Path.Combine(full, "lock")))
        {
            throw new AgentStartException($"Another flotta-agent is using the data directory {full}.", exception);
        }
        catch (IOException exception)
        {
            throw new AgentStartException($"The data directory {full} cannot be used: {exception.Message}", exception);
        }
    }

    public void Dispose() => _lock.Dispose();
}
