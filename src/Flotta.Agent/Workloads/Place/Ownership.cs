using System.Runtime.InteropServices;

namespace Flotta.Agent.Workloads;

/// <summary>Hands files to the account whose containers read them. Without one everything stays root's.</summary>
internal static partial class Ownership
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>A folder that the account may go through and nobody else may see into. It stays root's, so that nothing can be put in its place.</summary>
    public static void CreateFolder(string path, Account? reader)
    {
        Directory.CreateDirectory(path, Private);
        if (reader is null || File.GetUnixFileMode(path) == (Private | UnixFileMode.GroupExecute))
            return;
        Change(path, 0, reader.Group);
        File.SetUnixFileMode(path, Private | UnixFileMode.GroupExecute);
    }

    public static void Give(string path, Account? owner)
    {
        if (owner is not null)
            Change(path, owner.Id, owner.Group);
    }

    private static void Change(string path, uint owner, uint group)
    {
        if (ChangeOwner(path, owner, group) != 0)
            throw new IOException($"{path} cannot be given to its user (errno {Marshal.GetLastPInvokeError()})");
    }

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint owner, uint group);
}
