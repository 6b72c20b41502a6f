namespace Flotta.Agent.Workloads;

/// <summary>
/// Files of ConfigMap and Secret volumes, in a folder for each hash: the pod of before keeps seeing its own until it is gone.
/// The folder above is the agent's alone; inside a container the files have the modes that the volume asks for. Only the files are the user's whose
/// containers read them: whoever had a folder could put a link in it, and the agent would write, as root, where that leads.
/// </summary>
internal static class ConfigFolder
{
    private const UnixFileMode Shared = (UnixFileMode)0b111_101_101;

    public static void Write(WorkloadFolders folders, PodManifest manifest)
    {
        if (manifest.Folders.Count == 0)
            return;
        folders.Prepare(manifest.Name);
        Ownership.CreateFolder(folders.Files(manifest.Name), folders.User);
        var root = Path.Combine(folders.Files(manifest.Name), manifest.Hash);
        // What is there already and is not as it was written can be anything.
        if (IsWritten(root, manifest))
            return;
        if (Path.Exists(root))
            Directory.Delete(root, recursive: true);
        CreateFolder(root);
        foreach (var folder in FoldersOf(manifest))
            CreateFolder(Path.Combine(root, folder));
        foreach (var file in manifest.Files)
        {
            var path = Path.Combine(root, file.Path);
            // Of two sources of one projected volume the later one counts.
            File.Delete(path);
            using var stream = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
            stream.Write(file.Content);
            // Not left to the umask.
            File.SetUnixFileMode(stream.SafeFileHandle, (UnixFileMode)file.Mode);
            Ownership.Give(path, folders.User);
        }
    }

    private static bool IsWritten(string root, PodManifest manifest)
    {
        try
        {
            var files = manifest.Files.GroupBy(file => file.Path, StringComparer.Ordinal).Select(group => group.Last());
            return FoldersOf(manifest).Prepend("").All(folder => new DirectoryInfo(Path.Combine(root, folder)) is { Exists: true, LinkTarget: null })
                && files.All(file => new FileInfo(Path.Combine(root, file.Path)) is { Exists: true, LinkTarget: null } there
                    && there.Length == file.Content.Length && there.UnixFileMode == (UnixFileMode)file.Mode && File.ReadAllBytes(there.FullName).AsSpan().SequenceEqual(file.Content));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>All below the folder of the hash, outer ones first.</summary>
    private static List<string> FoldersOf(PodManifest manifest)
    {
        var all = new SortedSet<string>(manifest.Folders, StringComparer.Ordinal);
        foreach (var file in manifest.Files)
        {
            for (var folder = Path.GetDirectoryName(file.Path); folder is { Length: > 0 }; folder = Path.GetDirectoryName(folder))
                all.Add(folder);
        }
        return [.. all];
    }

    private static void CreateFolder(string path)
    {
        Directory.CreateDirectory(path);
        // Not left to the umask: for all to see who get this far.
        File.SetUnixFileMode(path, Shared);
    }

    /// <summary>Removes what earlier versions of the pod saw.</summary>
    public static void KeepOnly(WorkloadFolders folders, string workload, string hash)
    {
        var root = new DirectoryInfo(folders.Files(workload));
        if (!root.Exists)
            return;
        foreach (var folder in root.EnumerateDirectories().Where(folder => folder.Name != hash))
            folder.Delete(recursive: true);
    }
}
