using System.Globalization;
using Flotta.Agent.Workloads;

namespace Flotta.EndToEnd.Workloads;

/// <summary>
/// A machine as far as one can be had without a real one: a real systemd as a user's service manager, with mounts, processes and a network of its own,
/// and podman under it. Its power can be cut: everything in it ends at once, and what a machine has in memory is gone.
/// </summary>
internal sealed class SystemdMachine : IAsyncDisposable
{
    // A service manager takes the control group that it finds itself in for its own: it gets one.
    private const string Script = """
        mount --make-rprivate /
        mkdir -p /run/systemd && mount -t tmpfs tmpfs /run/systemd && mkdir /run/systemd/system
        mount -t tmpfs tmpfs /dev/shm
        ip link set lo up
        # On a usual machine everybody may open it, which networks of users without rights need.
        mknod -m 666 /run/systemd/tun c 10 200 && mount --bind /run/systemd/tun /dev/net/tun
        group=$1; owner=$2; shift 2
        for place in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do
          [ -w "$place/cgroup.procs" ] || continue
          mkdir -p "$place/$group" && echo 0 >"$place/$group/cgroup.procs" && chown -R "$owner" "$place/$group"
        done
        "$@" /usr/lib/systemd/systemd --user --log-target=console &
        wait
        """;

    private static readonly string[] Places = ["/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"];

    private readonly TemporaryFolder home = new();
    private RunningProgram? machine;

    private readonly Account user;

    private SystemdMachine(Account? user)
    {
        this.user = user ?? new Account("root", 0, 0, home.Path);
        Podman = null!;
    }

    public PodmanHost Podman { get; private set; }

    public SystemdScope Systemd => SystemdScope.Of(user) with { RuntimeFolder = Path.Combine(Podman.RunFolder, "user"), Enter = () => machine is { HasEnded: false } ? Inside() : [] };

    /// <summary>What its service manager has written since power on.</summary>
    public string Said => machine?.Said ?? "";

    public static Task<SystemdMachine> StartAsync() => StartAsync(null);

    /// <summary>Whose containers have no rights: a user that is made for it, and goes with it.</summary>
    public static async Task<SystemdMachine> StartRootlessAsync()
    {
        var name = "flotta-test-" + Guid.NewGuid().ToString("N")[..8];
        var (code, _, said) = await RunningProgram.RunAsync("useradd", ["--create-home", "--shell", "/usr/sbin/nologin", name]);
        code.ShouldBe(0, said);
        return await StartAsync(Account.Named(await File.ReadAllTextAsync(Account.Accounts), name));
    }

    private static async Task<SystemdMachine> StartAsync(Account? user)
    {
        var started = new SystemdMachine(user);
        try
        {
            started.Podman = await PodmanHost.StartAsync(started.BootAsync, rootless: started.user.Id != 0);
            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    /// <summary>Power off and on again. Nothing of ours is started; what runs afterwards was started by systemd.</summary>
    public async Task RebootAsync()
    {
        await PowerOffAsync();
        await Podman.RebootAsync(BootAsync);
    }

    /// <summary>A command inside; its output, whatever its exit code.</summary>
    public async Task<string> RunAsync(params string[] command)
    {
        var enter = Enter();
        return (await RunningProgram.RunAsync(enter[0], [.. enter[1..], .. command], Podman.Environment)).Output;
    }

    public async Task<string> StateOfAsync(string unit) => (await Systemd.RunAsync(null, CancellationToken.None, "is-active", unit)).Output.Trim();

    public Task AnswersAsync(int port) =>
        Eventually.TrueAsync(async () => await RunAsync("curl", "-s", "--max-time", "2", string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/")) == "hello", LoopOnPodman.Patience, () => Said);

    private string Group => Path.GetFileName(Podman.RunFolder);

    public async ValueTask DisposeAsync()
    {
        if (machine is not null)
            await PowerOffAsync();
        if (Podman is not null)
        {
            foreach (var group in Places.Select(place => Path.Combine(place, Group)).Where(Directory.Exists))
                await RunningProgram.RunAsync("find", [group, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"]);
        }
        if (Podman is not null)
            await Podman.DisposeAsync();
        if (user.Id != 0)
            await RunningProgram.RunAsync("userdel", ["--force", "--remove", user.Name]);
        home.Dispose();
    }

    private async Task<string[]> BootAsync(PodmanHost podman)
    {
        Podman = podman;
        var runtime = Directory.CreateDirectory(Path.Combine(podman.RunFolder, "user"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var environment = new Dictionary<string, string>(podman.Environment, StringComparer.Ordinal) { ["DBUS_SESSION_BUS_ADDRESS"] = "" };
        if (user.Id != 0)
        {
            (await RunningProgram.RunAsync("chown", ["-R", $"{user.Name}:", podman.Folder, podman.RunFolder])).ExitCode.ShouldBe(0);
            File.SetUnixFileMode(podman.Folder, (UnixFileMode)0b111_000_001);
            // Over a bus podman asks for a control group of its own for that process, and waits for ever where this service manager has none to give.
            var units = Directory.CreateDirectory(SystemdScope.Of(user).UnitFolder);
            if (!File.Exists(Path.Combine(units.FullName, "dbus.socket")))
                File.CreateSymbolicLink(Path.Combine(units.FullName, "dbus.socket"), "/dev/null");
            (await RunningProgram.RunAsync("chown", ["-Rh", $"{user.Name}:", Path.Combine(user.Home, ".config")])).ExitCode.ShouldBe(0);
        }
        machine = await LastingThread.RunAsync(() =>
            RunningProgram.Start("setpriv", ["--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc", "sh", "-c", Script, "sh", Group, user.Name, .. As()], environment));
        await Eventually.TrueAsync(() => Task.FromResult(File.Exists($"/proc/{machine.Id}/task/{machine.Id}/children") && File.ReadAllText($"/proc/{machine.Id}/task/{machine.Id}/children").Trim().Length > 0), LoopOnPodman.Patience);
        await Eventually.TrueAsync(async () => await StateOfAsync("basic.target") == "active", LoopOnPodman.Patience, () => machine.Said);
        // A first command leaves a process behind that holds the user's namespaces, and whatever its output went to.
        if (user.Id != 0)
            await RunAsync("sh", "-c", "exec podman unshare true >/dev/null 2>&1 </dev/null");
        return Enter();
    }

    /// <summary>Becomes the user, with its home and its runtime folder.</summary>
    private string[] As()
    {
        string[] own = ["env", $"HOME={user.Home}", $"XDG_RUNTIME_DIR={Path.Combine(Podman.RunFolder, "user")}"];
        return user.Id == 0
            ? own
            : ["setpriv", string.Create(CultureInfo.InvariantCulture, $"--reuid={user.Id}"), string.Create(CultureInfo.InvariantCulture, $"--regid={user.Group}"), "--init-groups", .. own];
    }

    private string[] Enter() => [.. Inside(), .. As()];

    private string[] Inside()
    {
        // unshare's child is the machine's first process.
        var first = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{machine!.Id}/task/{machine.Id}/children")).Trim();
        return first.Length > 0 ? ["nsenter", "--target", first, "--mount", "--pid", "--net"] : throw new InvalidOperationException("the machine does not run: " + machine.Said);
    }

    /// <summary>With its first process the kernel ends all others of the machine, and no other process.</summary>
    private async Task PowerOffAsync()
    {
        machine!.Kill();
        await machine.DisposeAsync();
        machine = null;
    }
}
