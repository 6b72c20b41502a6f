using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Flotta.Agent.DataSync;

/// <param name="Path">Below the folder that was asked, with slashes.</param>
/// <param name="Modified">Nanoseconds since 1970.</param>
internal sealed record LocalFile(string Path, long Size, long Modified)
{
    public DateTimeOffset ModifiedAt => DateTimeOffset.UnixEpoch.AddTicks(Modified / 100);
}

internal enum EntryKind
{
    File,
    Folder,
    Other,
}

/// <summary>
/// A folder that a container writes to, held open. Everything below is reached from it name by name and never through a link, so whatever the
/// container puts in the way, and whenever, nothing outside is read or written.
/// </summary>
internal sealed class OpenFolder : IDisposable
{
    private const int Deepest = 64;
    private const int Everybody = 0b111_111_111;
    private const int ThisFolder = -100;
    private const int EmptyPath = 0x1000;
    private const int NoFollow = 0x100;
    private const uint BasicStatus = 0x7ff;
    private readonly SafeFileHandle _handle;

    private OpenFolder(SafeFileHandle handle) => _handle = handle;

    /// <summary>Null where there is none.</summary>
    /// <param name="path">Trusted up to its last name.</param>
    public static OpenFolder? TryOpen(string path) => Open(ThisFolder, path);

    /// <summary>Files with their paths below this folder, sorted. Links, sockets and devices are none.</summary>
    /// <param name="at">A folder or a file below; empty for all.</param>
    public IReadOnlyList<LocalFile> Files(string at, Func<string, bool> excluded, int most, ICollection<string> problems)
    {
        var found = new List<LocalFile>();
        using var parent = at.Length == 0 ? null : TryFolder(Parent(at));
        if (at.Length == 0)
            Walk(this, "", 0);
        else if (parent?.Look(Name(at)) is (EntryKind.File, var file))
            found.Add(file with { Path = at });
        else if (parent is not null && Open(parent.Number, Name(at)) is { } folder)
        {
            using (folder)
                Walk(folder, at + "/", 0);
        }

        return [.. found.OrderBy(file => file.Path, StringComparer.Ordinal)];

        void Walk(OpenFolder folder, string prefix, int depth)
        {
            if (depth > Deepest)
            {
                problems.Add($"{prefix}: folders are nested too deep");
                return;
            }

            foreach (var name in folder.Names())
            {
                var path = prefix + name;
                if (excluded(path))
                    continue;
                if (found.Count >= most)
                {
                    problems.Add(FormattableString.Invariant($"there are more than {most} files, the rest stays"));
                    return;
                }

                switch (folder.Look(name))
                {
                    case (EntryKind.File, var file):
                        found.Add(file with { Path = path });
                        break;
                    case (EntryKind.Folder, _) when Open(folder.Number, name) is { } below:
                        using (below)
                            Walk(below, path + "/", depth + 1);
                        break;
                    case null when name.Contains('\uFFFD', StringComparison.Ordinal):
                        problems.Add($"{path}: the name is not UTF-8");
                        break;
                }
            }
        }
    }

    /// <summary>Null where there is no such file.</summary>
    public LocalFile? Find(string path)
    {
        using var parent = TryFolder(Parent(path));
        return parent?.Look(Name(path)) is (EntryKind.File, var file) ? file with { Path = path } : null;
    }

    /// <summary>The file as it is once it is open. Null where there is none (any more).</summary>
    public (FileStream Stream, LocalFile File)? TryRead(string path)
    {
        using var parent = TryFolder(Parent(path));
        if (parent is null)
            return null;
        // Not waiting: a pipe of that name has nobody at its other end.
        var descriptor = Libc.OpenAt(parent.Number, Name(path), Libc.NoFollow | Libc.CloseOnExec | Libc.NonBlocking, 0);
        if (descriptor < 0)
            return null;
        var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        if (Look(handle) is not (EntryKind.File, var file))
        {
            handle.Dispose();
            return null;
        }

        return (new FileStream(handle, FileAccess.Read, bufferSize: 0), file with { Path = path });
    }

    public static LocalFile Now(FileStream stream) => Look(stream.SafeFileHandle).File;

    /// <summary>Moves a whole file from a folder of ours to its place, in one step and to stay.</summary>
    /// <exception cref="IOException">Something else is in the way.</exception>
    public void Take(OpenFolder from, string name, string path)
    {
        using var parent = MakeFolder(Parent(path));
        if (Libc.RenameAt(from.Number, name, (parent ?? this).Number, Name(path)) != 0)
            throw Error($"{path} cannot be put in its place");
        _ = Libc.Sync((parent ?? this).Number);
    }

    public void Dispose() => _handle.Dispose();

    private int Number => (int)_handle.DangerousGetHandle();

    private static string Parent(string path) => path.LastIndexOf('/') is > 0 and var slash ? path[..slash] : "";

    private static string Name(string path) => path[(path.LastIndexOf('/') + 1)..];

    private IEnumerable<string> Names()
    {
        // The folder that is open, whatever has become of its name.
        foreach (var entry in Directory.EnumerateFileSystemEntries(FormattableString.Invariant($"/proc/self/fd/{Number}")))
            yield return Name(entry);
    }

    private OpenFolder? TryFolder(string path)
    {
        var folder = Open(Number, ".");
        foreach (var name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            using var above = folder;
            if (above is null)
                return null;
            folder = Open(above.Number, name);
        }

        return folder;
    }

    private OpenFolder? MakeFolder(string path)
    {
        OpenFolder? folder = null;
        foreach (var name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            using var above = folder;
            var at = (above ?? this).Number;
            var made = Libc.MakeFolderAt(at, name, Everybody) == 0;
            if (!made && Marshal.GetLastPInvokeError() != Libc.Exists)
                throw Error($"the folder {path} cannot be made");
            folder = Open(at, name) ?? throw new IOException($"the folder {path} cannot be made: {name} is something else");
            // As /export itself: any user of the container may write.
            if (made)
                _ = Libc.ChangeMode(folder.Number, Everybody);
        }

        return folder;
    }

    private static OpenFolder? Open(int folder, string name)
    {
        var descriptor = Libc.OpenAt(folder, name, Libc.Folder | Libc.NoFollow | Libc.CloseOnExec, 0);
        return descriptor < 0 ? null : new OpenFolder(new SafeFileHandle(descriptor, ownsHandle: true));
    }

    private (EntryKind Kind, LocalFile File)? Look(string name) => Look(Number, name, NoFollow);

    private static (EntryKind Kind, LocalFile File) Look(SafeFileHandle handle) =>
        Look((int)handle.DangerousGetHandle(), "", EmptyPath) ?? throw Error("an open file cannot be asked for its size");

    private static (EntryKind Kind, LocalFile File)? Look(int folder, string name, int flags)
    {
        Span<byte> answer = stackalloc byte[256];
        if (Libc.Status(folder, name, flags, BasicStatus, ref answer[0]) != 0)
            return null;
        var kind = (MemoryMarshal.Read<ushort>(answer[28..]) & 0xF000) switch
        {
            0x8000 => EntryKind.File,
            0x4000 => EntryKind.Folder,
            _ => EntryKind.Other,
        };
        var size = MemoryMarshal.Read<long>(answer[40..]);
        var modified = (MemoryMarshal.Read<long>(answer[112..]) * 1_000_000_000) + MemoryMarshal.Read<uint>(answer[120..]);
        return (kind, new LocalFile(name, size, modified));
    }

    private static IOException Error(string what)
    {
        var error = Marshal.GetLastPInvokeError();
        return new IOException($"{what}: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }
}
