using System.Text;
using Flotta.Agent.Files;

namespace Flotta.Agent.Workloads;

/// <summary>The unit files of one service manager on disk. Below a user's home nothing is followed that could lead out of it.</summary>
internal sealed class UnitFolder(SystemdScope scope)
{
    private const int MaxBytes = 64 << 10;
    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public IReadOnlyList<FoundUnit> Read() => [.. Read(UnitKind.Service, "*.service"), .. Read(UnitKind.Quadlet, "*.kube")];

    public void Write(UnitFile unit)
    {
        var folder = FolderOf(unit.Kind);
        Enter(folder);
        var path = Path.Combine(folder, unit.Name);
        DurableFile.Stage(path + ".new", Encoding.UTF8.GetBytes(unit.Text));
        File.SetUnixFileMode(path + ".new", Readable);
        DurableFile.Rename(path + ".new", path);
        if (unit.Kind != UnitKind.Service)
            return;
        var link = LinkOf(unit.Name);
        Enter(Path.GetDirectoryName(link)!);
        File.Delete(link);
        File.CreateSymbolicLink(link, TargetOf(unit.Name));
    }

    public void Remove(UnitKind kind, string name)
    {
        // The link first: half of it done, systemd starts nothing.
        if (kind == UnitKind.Service && IsEnabled(name))
            File.Delete(LinkOf(name));
        DurableFile.Delete(Path.Combine(FolderOf(kind), name));
    }

    private IEnumerable<FoundUnit> Read(UnitKind kind, string pattern)
    {
        var folder = new DirectoryInfo(FolderOf(kind));
        if (!folder.Exists)
            yield break;
        foreach (var file in folder.EnumerateFiles(UnitText.Prefix + pattern))
        {
            // A link is how an administrator masks a unit; a large file is not ours.
            var text = file.LinkTarget is null && file.Length < MaxBytes ? File.ReadAllText(file.FullName) : "";
            yield return new FoundUnit(kind, file.Name, text, UnitText.DeviceOf(text), kind == UnitKind.Quadlet || IsEnabled(file.Name));
        }
    }

    private bool IsEnabled(string name) => new FileInfo(LinkOf(name)).LinkTarget == TargetOf(name);

    private string FolderOf(UnitKind kind) => kind == UnitKind.Quadlet ? scope.QuadletFolder : scope.UnitFolder;

    private string LinkOf(string name) => Path.Combine(scope.UnitFolder, scope.Target + ".wants", name);

    private static string TargetOf(string name) => "../" + name;

    private void Enter(string folder)
    {
        if (scope.User is not { } user)
        {
            Directory.CreateDirectory(folder);
            return;
        }
        if (!folder.StartsWith(user.Home.TrimEnd('/') + "/", StringComparison.Ordinal))
            throw new IOException($"{folder} is not in the home of {user.Name}");
        var path = user.Home.TrimEnd('/');
        foreach (var part in folder[(path.Length + 1)..].Split('/'))
        {
            path += "/" + part;
            if (new DirectoryInfo(path) is { LinkTarget: { } target })
                throw new IOException($"{path} is a link to {target}; units are not written through links");
            if (Directory.Exists(path))
                continue;
            Directory.CreateDirectory(path);
            Ownership.Give(path, user);
        }
    }
}
