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
        var folders = new WorkloadFolders(_folder);
        var message = WireJson.Read(
            File.ReadAllBytes(Path.Combine(Repository.Root, "test/Flotta.Tests/Agent/Workloads/Golden/volumes/configuration.json")),
            WireJson.Types.DeviceConfigurationMessage);
        var manifest = PodRenderer.Render(message.Workloads![0], message.Secrets!, "till-07", folders);
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
}
