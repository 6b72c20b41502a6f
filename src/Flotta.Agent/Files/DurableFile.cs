using System.Runtime.InteropServices;

namespace Flotta.Agent.Files;

/// <summary>Writes that survive the plug being pulled: a file is the old one or the new one, never half of either.</summary>
internal static partial class DurableFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        var temporary = path + ".new";
        Stage(temporary, bytes);
        Rename(temporary, path);
    }

    /// <summary>The new content, complete and on disk, but not in place yet.</summary>
    public static void Stage(string temporary, ReadOnlySpan<byte> bytes)
    {
        // One left by a crash may have other modes or be a link.
        File.Delete(temporary);
        using var file = new FileStream(temporary, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = OwnerOnly,
        });
        file.Write(bytes);
        file.Flush(flushToDisk: true);
    }

    public static void Rename(string from, string to)
    {
        File.Move(from, to, overwrite: true);
        SyncFolder(Path.GetDirectoryName(Path.GetFullPath(to))!);
    }

    public static void Delete(string path)
    {
        if (!File.Exists(path))
            return;
        File.Delete(path);
        SyncFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    // A rename is only in the folder's memory until the folder itself is synced. .NET opens no folders.
    private static void SyncFolder(string folder)
    {
        var descriptor = Open(folder, 0);
        if (descriptor < 0)
            throw new IOException($"The folder {folder} cannot be opened (errno {Marshal.GetLastPInvokeError()}).");
        try
        {
            // Some file systems cannot sync folders and say EINVAL: then the rename is as durable as it gets there.
            if (Sync(descriptor) != 0 && Marshal.GetLastPInvokeError() is var error && error != 22)
                throw new IOException($"The folder {folder} cannot be synced (errno {error}).");
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
