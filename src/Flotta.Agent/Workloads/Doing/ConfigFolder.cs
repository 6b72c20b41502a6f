namespace Flotta.Agent.Workloads;

/// <summary>
/// Files of ConfigMap and Secret volumes, in a folder for each hash: the pod of before keeps seeing its own until it is gone.
/// The folder above is the agent's alone; inside a container the files have the modes that the volume asks for.
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
        foreach (var folder in manifest.Folders)
            Directory.CreateDirectory(Path.Combine(root, folder), Shared);
        foreach (var file in manifest.Files)
        {
            var path = Path.Combine(root, file.Path);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!, Shared);
            File.Delete(path);
            using var stream = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
            stream.Write(file.Content);
            // Not left to the umask.
            File.SetUnixFileMode(stream.SafeFileHandle, (UnixFileMode)file.Mode);
            Ownership.Give(path, folders.User);
        }
        // Folders were made for all to see; whose they are says which user may.
        if (folders.User is not null)
        {
            foreach (var folder in Directory.EnumerateDirectories(root, "*", SearchOption.AllDirectories).Append(root))
                Ownership.Give(folder, folders.User);
        }
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
