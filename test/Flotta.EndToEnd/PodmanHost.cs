using System.Globalization;

namespace Flotta.EndToEnd;

/// <summary>
/// A real podman apart from that of the machine: own storage, networks and runtime folder, a service on a socket, and the sample image
/// <c>localhost/flotta-hello:1</c> made from busybox. Disposing removes its containers, mounts, networks and files.
/// </summary>
internal sealed class PodmanHost : IAsyncDisposable
{
    public const string Image = "localhost/flotta-hello:1";

    private readonly TemporaryFolder folder = new();
    private readonly DirectoryInfo run;
    private readonly Dictionary<string, string> environment;
    private RunningProgram? service;

    // Where all of it runs: in the tests' own namespaces, unless there is a machine for it.
    private string[] inside = [];

    // What a user without rights may mount differs from kernel to kernel; plain copies work with all.
    private readonly bool rootless;

    private PodmanHost(bool rootless)
    {
        this.rootless = rootless;
        // Short, because the path of a unix socket has 108 bytes at the most.
        run = Directory.CreateDirectory("/run/flotta-test-" + Guid.NewGuid().ToString("N")[..8]);
        environment = new(StringComparer.Ordinal)
        {
            ["CONTAINERS_CONF"] = Path.Combine(folder.Path, "containers.conf"),
            ["CONTAINERS_STORAGE_CONF"] = Path.Combine(folder.Path, "storage.conf"),
        };
    }

    public string Socket => Path.Combine(run.FullName, "podman.sock");

    /// <summary>What a podman command of one's own needs in its environment.</summary>
    public IReadOnlyDictionary<string, string> Environment => environment;

    /// <summary>The flags that name this podman's folders, for a podman command of one's own.</summary>
    public string[] Flags =>
    [
        "--root", Path.Combine(folder.Path, "storage"), "--runroot", RunRoot, "--tmpdir", Path.Combine(run.FullName, "tmp"),
        "--network-config-dir", Path.Combine(folder.Path, "networks"), .. rootless ? ["--storage-driver", "vfs"] : Array.Empty<string>(),
    ];

    // Networks of a user without rights live where nothing of /run is to be seen but the user's own folder.
    private string RunRoot => rootless ? Path.Combine(run.FullName, "user", "containers") : Path.Combine(run.FullName, "run");

    public string Folder => folder.Path;

    public string RunFolder => run.FullName;

    /// <param name="machine">Starts what podman shall run in, and returns the command that enters it.</param>
    /// <param name="authority">A file of a certificate that registries may show.</param>
    public static async Task<PodmanHost> StartAsync(Func<PodmanHost, Task<string[]>>? machine = null, string? authority = null, bool rootless = false)
    {
        var podman = new PodmanHost(rootless);
        try
        {
            await File.WriteAllTextAsync(podman.environment["CONTAINERS_CONF"], podman.Configuration());
            await File.WriteAllTextAsync(podman.environment["CONTAINERS_STORAGE_CONF"], $"[storage]\ndriver = \"{(rootless ? "vfs" : "")}\"\ngraphroot = \"{podman.folder.Path}/storage\"\nrootless_storage_path = \"{podman.folder.Path}/storage\"\nrunroot = \"{podman.RunRoot}\"\n");
            if (authority is not null)
                podman.environment["SSL_CERT_FILE"] = authority;
            if (machine is not null)
                podman.inside = await machine(podman);
            await podman.ImageWithPageAsync(Image, "hello");
            await podman.StartServiceAsync();
            return podman;
        }
        catch
        {
            await podman.DisposeAsync();
            throw;
        }
    }

    /// <summary>The service alone: containers run on without it.</summary>
    public async Task StartServiceAsync()
    {
        service = await LastingThread.RunAsync(() =>
            RunningProgram.Start("setpriv", ["--pdeathsig", "KILL", .. inside, "podman", .. Flags, "system", "service", "--time", "0", "unix://" + Socket], environment));
        await Eventually.TrueAsync(
            async () => (await RunningProgram.RunAsync("curl", ["-sf", "--unix-socket", Socket, "http://d/_ping"])).ExitCode == 0,
            TimeSpan.FromSeconds(20),
            () => service.Said);
    }

    /// <summary>After all processes of podman's machine have ended at once.</summary>
    public async Task RebootAsync(Func<PodmanHost, Task<string[]>> machine)
    {
        if (service != null)
            await service.DisposeAsync();
        service = null;
        // What is in memory on a machine.
        foreach (var entry in run.EnumerateFileSystemInfos())
        {
            if (entry is DirectoryInfo sub)
                sub.Delete(recursive: true);
            else
                entry.Delete();
        }
        inside = await machine(this);
    }

    public async Task KillServiceAsync()
    {
        service!.Kill();
        await service.DisposeAsync();
        File.Delete(Socket);
    }

    /// <summary>podman's answer on standard output; fails the test when podman fails.</summary>
    public async Task<string> RunAsync(params string[] arguments)
    {
        var (exitCode, output, said) = await TryAsync(arguments);
        exitCode.ShouldBe(0, $"podman {string.Join(' ', arguments)}: {said}");
        return output;
    }

    public async ValueTask DisposeAsync()
    {
        if (service != null)
            await service.DisposeAsync();
        var running = await TryAsync("pod", "ps", "--quiet");
        foreach (var pod in running.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            await TryAsync("pod", "rm", "--force", "--time", "0", pod);
        await TryAsync("rm", "--all", "--force", "--time", "0");

        // Each container's watcher starts a podman of its own to clean up after it; until the last of them is through, folders fill again.
        await Eventually.TrueAsync(
            async () =>
            {
                foreach (var mount in Mounts())
                    await RunningProgram.RunAsync("umount", [mount]);
                return IsDeleted(run.FullName) && IsDeleted(folder.Path);
            },
            TimeSpan.FromSeconds(20),
            () => $"{run.FullName} or {folder.Path} cannot be deleted.");
    }

    private static bool IsDeleted(string path)
    {
        try
        {
            Directory.Delete(path, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            return true;
        }
        catch (Exception busy) when (busy is IOException or UnauthorizedAccessException)
        {
            return false;
        }

        return true;
    }

    public Task<(int ExitCode, string Output, string Said)> TryAsync(params string[] arguments) =>
        inside is [var enter, .. var where]
            ? RunningProgram.RunAsync(enter, [.. where, "podman", .. Flags, .. arguments], environment)
            : RunningProgram.RunAsync("podman", [.. Flags, .. arguments], environment);

    /// <param name="page">What its web server shows; null for an image in which nothing can be run.</param>
    public async Task ImageWithPageAsync(string name, string? page)
    {
        var root = Directory.CreateDirectory(Path.Combine(folder.Path, "image-" + Guid.NewGuid().ToString("N"))).FullName;
        Directory.CreateDirectory(Path.Combine(root, "bin"));
        if (page is null)
        {
            await File.WriteAllTextAsync(Path.Combine(root, "bin", "nothing"), "");
            await ImportAsync(root, name);
            return;
        }

        Directory.CreateDirectory(Path.Combine(root, "www"));
        var busybox = new[] { "/bin/busybox", "/usr/bin/busybox" }.First(File.Exists);
        File.Copy(busybox, Path.Combine(root, "bin", "busybox"));
        foreach (var tool in new[] { "sh", "httpd", "sleep", "cat" })
            File.CreateSymbolicLink(Path.Combine(root, "bin", tool), "busybox");
        await File.WriteAllTextAsync(Path.Combine(root, "www", "index.html"), page);
        await ImportAsync(root, name);
    }

    private async Task ImportAsync(string root, string name)
    {
        var archive = root + ".tar";
        System.Formats.Tar.TarFile.CreateFromDirectory(root, archive, includeBaseDirectory: false);
        await RunAsync("import", archive, name);
    }

    // Deepest first.
    private IEnumerable<string> Mounts() => File.ReadAllLines("/proc/self/mountinfo")
        .Select(line => line.Split(' ')[4])
        .Where(mount => mount.StartsWith(folder.Path + "/", StringComparison.Ordinal) || mount.StartsWith(run.FullName + "/", StringComparison.Ordinal))
        .OrderByDescending(mount => mount.Length);

    // What a build machine may lack: cgroups v2 (crun wants it), systemd, the right to raise limits.
    private string Configuration()
    {
        var unified = File.Exists("/sys/fs/cgroup/cgroup.controllers") && File.Exists("/usr/bin/crun");
        var effective = Convert.ToUInt64(File.ReadLines("/proc/self/status").First(line => line.StartsWith("CapEff", StringComparison.Ordinal)).Split('\t')[1], 16);
        const int SysResource = 24;
        var limits = ((effective >> SysResource) & 1) == 1 ? "" : "default_ulimits = [\"nofile=1024:1024\", \"nproc=1000:1000\"]";
        return string.Create(CultureInfo.InvariantCulture, $"""
            [containers]
            {limits}
            [engine]
            runtime = "{(unified ? "crun" : "runc")}"
            cgroup_manager = "cgroupfs"
            events_logger = "file"
            tmp_dir = "{run.FullName}/tmp"
            [network]
            network_config_dir = "{folder.Path}/networks"
            """);
    }
}
