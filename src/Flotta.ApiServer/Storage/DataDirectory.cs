namespace Flotta.ApiServer.Storage;

/// <summary>The folder with all that the server keeps, locked for as long as this lives (also against other processes; the kernel lets go when a process dies).</summary>
internal sealed class DataDirectory : IDisposable
{
    private const string DatabaseName = "flotta.db";

    private readonly FileStream locked;

    private DataDirectory(string path, FileStream locked)
    {
        Path = path;
        this.locked = locked;
    }

    public string Path { get; }

    public string DatabaseFile => System.IO.Path.Combine(Path, DatabaseName);

    public string AuditFile => System.IO.Path.Combine(Path, "audit.log");

    public string KeysFolder => KeysIn(Path);

    public static string KeysIn(string path) => System.IO.Path.Combine(path, "pki");

    /// <summary>Where these are in a folder that another process may be using.</summary>
    public static (string Database, string Keys) Files(string path)
    {
        path = System.IO.Path.GetFullPath(path);
        return (System.IO.Path.Combine(path, DatabaseName), KeysIn(path));
    }

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
