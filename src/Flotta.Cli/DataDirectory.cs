namespace Flotta.Cli;

/// <summary>The folder of <c>flotta up</c>: private to its user, every file in it written whole or not at all.</summary>
internal sealed class DataDirectory
{
    private const UnixFileMode PrivateFolder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode PrivateFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private DataDirectory(string path) => Path = path;

    public string Path { get; }

    /// <exception cref="FailureException">The folder cannot be made, or not be written.</exception>
    public static DataDirectory Open(string path)
    {
        var full = System.IO.Path.GetFullPath(path);
        try
        {
            Directory.CreateDirectory(full, PrivateFolder);
            // Says now, and clearly, what would otherwise fail half-way.
            var probe = System.IO.Path.Combine(full, ".writable");
            File.WriteAllBytes(probe, []);
            File.Delete(probe);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new FailureException($"the data folder {full} cannot be written ({exception.Message.TrimEnd('.')}); choose another with --data-dir, or make it writable for this user.", exception);
        }

        return new DataDirectory(full);
    }

    /// <summary>Readable by this user alone; after a crash at any instant there is the old content or the new one.</summary>
    public string Write(string name, string content)
    {
        var file = System.IO.Path.Combine(Path, name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(file)!, PrivateFolder);
        var temporary = file + ".new";
        File.Delete(temporary);
        using (var stream = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = PrivateFile }))
        {
            stream.Write(System.Text.Encoding.UTF8.GetBytes(content));
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, file, overwrite: true);
        return file;
    }
}
