using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Flotta.Wire;

namespace Flotta.Agent.Hardware;

/// <summary>The block and character devices below /dev.</summary>
internal static partial class DeviceNodes
{
    private const int MaxDevices = 400;
    private const int MaxDepth = 4;
    private static readonly HashSet<string> Skipped = new(StringComparer.Ordinal) { "pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev", "console", "disk", "char", "block" };

    public static IReadOnlyList<HostDevice> Read(MachineFiles files)
    {
        var found = new List<HostDevice>();
        Walk(files, "/dev", 0, found);
        return found;
    }

    private static void Walk(MachineFiles files, string folder, int depth, List<HostDevice> found)
    {
        foreach (var name in files.Names(folder))
        {
            var path = $"{folder}/{name}";
            if (found.Count >= MaxDevices || Skipped.Contains(name) || path.Length > MachineFiles.MaxText || Status(files.Path(path)) is not { } status)
                continue;
            if (status.IsFolder && depth < MaxDepth)
                Walk(files, path, depth + 1, found);
            else if (status.Type is { } type)
                found.Add(new HostDevice { Path = path, DeviceType = type, Major = status.Major, Minor = status.Minor, Uid = status.Uid, Gid = status.Gid });
        }
    }

    private readonly record struct NodeStatus(bool IsFolder, string? Type, uint Major, uint Minor, uint Uid, uint Gid);

    private static NodeStatus? Status(string path)
    {
        const int AtFdCwd = -100;
        const int NoFollow = 0x100;
        const uint Basic = 0x7ff;
        var buffer = new byte[256];
        if (StatX(AtFdCwd, path, NoFollow, Basic, buffer) != 0)
            return null;
        uint At(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(buffer.AsSpan(offset));
        var kind = BinaryPrimitives.ReadUInt16LittleEndian(buffer.AsSpan(28)) & 0xF000;
        var type = kind switch { 0x6000 => "b", 0x2000 => "c", _ => null };
        return new NodeStatus(kind == 0x4000, type, At(128), At(132), At(20), At(24));
    }

    // statx, because its struct is the same on every architecture: uid at 20, gid at 24, mode at 28, the device's numbers at 128 and 132.
    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int StatX(int folder, string path, int flags, uint mask, [Out] byte[] buffer);
}
