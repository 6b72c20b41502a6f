namespace Flotta.ApiServer.Storage;

/// <summary>The folder with all that the server keeps, locked for as long as this lives (also against other processes; the kernel lets go when a process dies).</summary>
internal sealed class DataDirectory : IDisposable
{
    private readonly FileStream locked;

    private DataDirectory(string path, FileStream locked)
    {
        Path = path;
        this.locked = locked;
    }

    public string Path { get; }

    public string DatabaseFile => System.IO.Path.Combine(Path, "flotta.db");

    public string KeysFolder => System.IO.Path.Combine(Path, "pki");

    /// <exception cref="ApiServerStartException">It cannot be made, written or locked.</exception>
    public static DataDirectory Open(string path)
    {
        path = System.IO.Path.GetFullPath(path);
        try
        {
            OwnerOnly.MakeFolder(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ApiServerStartException($"The data directory {path} cannot be made: {e.Message}", e);
        }

        var file = System.IO.Path.Combine(path, "lock");
        try
        {
            return new DataDirectory(path, new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1));
        }
        catch (UnauthorizedAccessException e)
        {
            throw new ApiServerStartException($"The data directory {path} cannot be written to: {e.Message}", e);
        }
        catch (IOException e)
        {
            throw File.Exists(file)
                ? new ApiServerStartException($"The data directory {path} is in use by another process: stop that one first, or give this one a directory of its own.", e)
                : new ApiServerStartException($"The data directory {path} cannot be written to: {e.Message}", e);
        }
    }

    public void Dispose() => locked.Dispose();
}
