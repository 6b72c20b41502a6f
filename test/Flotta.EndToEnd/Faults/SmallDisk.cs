namespace Flotta.EndToEnd.Faults;

/// <summary>A file system of a few megabytes, that a test can fill.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private SmallDisk(string folder) => Folder = folder;

    public string Folder { get; }

    public long Free => new DriveInfo(Folder).AvailableFreeSpace;

    public static async Task<SmallDisk> OfAsync(string size)
    {
        var folder = Directory.CreateTempSubdirectory("flotta-small-").FullName;
        (await RunningProgram.RunAsync("mount", ["-t", "tmpfs", "-o", "size=" + size, "tmpfs", folder])).ExitCode.ShouldBe(0);
        return new SmallDisk(folder);
    }

    /// <summary>Lets a file grow until nothing is left.</summary>
    public static void Fill(string path)
    {
        var piece = new byte[4096];
        try
        {
            // Unbuffered: what does not fit must not be tried again when the file is closed.
            using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
            while (true)
                file.Write(piece);
        }
        catch (IOException)
        {
            // Full.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await RunningProgram.RunAsync("umount", ["-l", Folder]);
        Directory.Delete(Folder);
    }
}
