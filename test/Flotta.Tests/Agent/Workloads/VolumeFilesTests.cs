using Flotta.Agent.Workloads;
using Flotta.Wire;

namespace Flotta.Tests.Agent.Workloads;

public sealed class VolumeFilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("flotta-files-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Config_files_are_written_with_their_modes_below_a_folder_that_is_closed()
    {
        var (folders, manifest) = Volumes();
        ConfigFolder.Write(folders, manifest);
        ConfigFolder.Write(folders, manifest);

        var root = Path.Combine(folders.Files("vols.v1"), manifest.Hash);
        File.ReadAllText(Path.Combine(root, "conf", "a.conf")).ShouldBe("hello");
        File.GetUnixFileMode(Path.Combine(root, "conf", "a.conf")).ShouldBe(UnixFileMode.UserRead);
        File.ReadAllText(Path.Combine(root, "cert", "sub", "key.pem")).ShouldBe("key");
        File.GetUnixFileMode(Path.Combine(root, "cert", "sub", "key.pem")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Directory.GetFiles(Path.Combine(root, "both")).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal).ShouldBe(["a.conf", "b", "tls.key"]);
        File.GetUnixFileMode(folders.Of("vols.v1")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        manifest.Volumes.ShouldBe(["flotta-claim-db"]);

        Directory.CreateDirectory(Path.Combine(folders.Files("vols.v1"), "older"));
        ConfigFolder.KeepOnly(folders, "vols.v1", manifest.Hash);
        Directory.GetDirectories(folders.Files("vols.v1")).ShouldHaveSingleItem().ShouldEndWith(manifest.Hash);
    }

    /// <summary>The agent is root: what it writes would land where the link leads.</summary>
    [Fact]
    public void What_somebody_put_in_the_place_of_a_file_or_folder_is_not_followed()
    {
        var (folders, manifest) = Volumes();
        ConfigFolder.Write(folders, manifest);
        var root = Path.Combine(folders.Files("vols.v1"), manifest.Hash);
        var outside = Directory.CreateDirectory(Path.Combine(_folder, "outside"));
        File.WriteAllText(Path.Combine(outside.FullName, "passwd"), "root");
        Directory.Delete(Path.Combine(root, "cert", "sub"), recursive: true);
        File.CreateSymbolicLink(Path.Combine(root, "cert", "sub"), outside.FullName);
        File.Delete(Path.Combine(root, "conf", "a.conf"));
        File.CreateSymbolicLink(Path.Combine(root, "conf", "a.conf"), Path.Combine(outside.FullName, "passwd"));

        ConfigFolder.Write(folders, manifest);
        Directory.GetFiles(outside.FullName).ShouldBe([Path.Combine(outside.FullName, "passwd")]);
        File.ReadAllText(Path.Combine(outside.FullName, "passwd")).ShouldBe("root");
        File.ReadAllText(Path.Combine(root, "conf", "a.conf")).ShouldBe("hello");
        new FileInfo(Path.Combine(root, "cert", "sub", "key.pem")).LinkTarget.ShouldBeNull();
        new DirectoryInfo(Path.Combine(root, "cert", "sub")).LinkTarget.ShouldBeNull();
    }

    /// <summary>A container that could make a link of a file would have the next mount of it lead to the host's files.</summary>
    [Fact]
    public void No_container_can_write_to_them()
    {
        var (_, manifest) = Volumes();
        var spec = System.Text.Json.Nodes.JsonNode.Parse(manifest.Document)!["spec"]!;
        var written = spec["volumes"]!.AsArray().Where(volume => volume!["hostPath"]?["path"]?.GetValue<string>().StartsWith(Path.Combine(_folder, "workloads") + "/", StringComparison.Ordinal) == true)
            .Select(volume => volume!["name"]!.GetValue<string>()).ToList();
        written.Count.ShouldBeGreaterThan(3, "parts are volumes of their own");
        var mounts = spec["containers"]!.AsArray().Concat(spec["initContainers"]?.AsArray() ?? []).SelectMany(container => container!["volumeMounts"]?.AsArray() ?? []).ToList();
        foreach (var volume in written)
            mounts.Where(mount => mount!["name"]!.GetValue<string>() == volume).ShouldAllBe(mount => mount!["readOnly"]!.GetValue<bool>());
    }

    private (WorkloadFolders Folders, PodManifest Manifest) Volumes()
    {
        var folders = new WorkloadFolders(_folder);
        var message = WireJson.Read(
            File.ReadAllBytes(Path.Combine(Repository.Root, "test/Flotta.Tests/Agent/Workloads/Golden/volumes/configuration.json")),
            WireJson.Types.DeviceConfigurationMessage);
        return (folders, PodRenderer.Render(message.Workloads![0], message.Secrets!, "till-07", folders));
    }
}
