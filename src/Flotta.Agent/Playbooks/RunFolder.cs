using System.Reflection;
using System.Runtime.InteropServices;

namespace Flotta.Agent.Playbooks;

/// <summary>The private folder of one run: the playbook, what ansible needs to tell us of its tasks, and what it leaves. Nobody but its user may look inside; it goes with the run.</summary>
internal static partial class RunFolder
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    // Not in the agent's own folder: into that no other user may go.
    public static string Of(string mark) => Path.Combine(Path.GetTempPath(), "flotta-playbook-" + mark);

    /// <returns>Where the playbook is in it.</returns>
    public static string Make(string folder, ReadOnlySpan<byte> playbook, Account? owner)
    {
        Directory.CreateDirectory(folder, Private);
        Directory.CreateDirectory(Path.Combine(folder, "tmp"), Private);
        var path = Path.Combine(folder, "playbook.yml");
        Write(path, playbook);
        using var plugin = new MemoryStream();
        using (var resource = Assembly.GetExecutingAssembly().GetManifestResourceStream("flotta_events.py")!)
            resource.CopyTo(plugin);
        Write(Path.Combine(folder, "flotta_events.py"), plugin.GetBuffer().AsSpan(0, (int)plugin.Length));
        if (owner is not null)
        {
            foreach (var one in (string[])[.. Directory.EnumerateFileSystemEntries(folder), folder])
            {
                if (ChangeOwner(one, owner.Uid, owner.Gid) != 0)
                    throw new IOException($"{one} cannot be given to {owner.Name} (errno {Marshal.GetLastPInvokeError()}).");
            }
        }

        return path;
    }

    public static void Remove(string folder)
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    private static void Write(string path, ReadOnlySpan<byte> content)
    {
        using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        file.Write(content);
    }

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, int user, int group);
}
