using System.Globalization;
using Flotta.Agent.Processes;

namespace Flotta.Agent.Workloads;

/// <summary>The service manager that starts workloads: the machine's, or that of the user whose containers they are.</summary>
internal sealed record SystemdScope
{
    private const string Booted = "/run/systemd/system";
    private const string Lingering = "/var/lib/systemd/linger";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public Account? User { get; init; }

    public bool IsRootless => User is { Id: not 0 };

    public required string UnitFolder { get; init; }

    public required string QuadletFolder { get; init; }

    /// <summary>podman's generator of services; where it is not, a .kube file would stay a file.</summary>
    public required string Generator { get; init; }

    /// <summary>What is reached at boot.</summary>
    public required string Target { get; init; }

    /// <summary>Where the user's manager listens.</summary>
    public string? RuntimeFolder { get; init; }

    /// <summary>A command that leads to where the manager runs, when that is not here.</summary>
    public Func<IReadOnlyList<string>>? Enter { get; init; }

    public static SystemdScope Of(Account? user) => user is null
        ? new SystemdScope
        {
            UnitFolder = "/etc/systemd/system",
            QuadletFolder = "/etc/containers/systemd",
            Generator = "/usr/lib/systemd/system-generators/podman-system-generator",
            Target = "multi-user.target",
        }
        : new SystemdScope
        {
            User = user,
            UnitFolder = $"{user.Home}/.config/systemd/user",
            QuadletFolder = $"{user.Home}/.config/containers/systemd",
            Generator = "/usr/lib/systemd/user-generators/podman-user-generator",
            Target = "default.target",
            RuntimeFolder = user.RuntimeFolder,
        };

    /// <summary>Is systemd this machine's, and (for a user) does it start that user's services at boot?</summary>
    public static bool IsThere(Account? user) => Directory.Exists(Booted) && (user is null || Lingers(user.Name));

    public static bool Lingers(string user) => File.Exists(Path.Combine(Lingering, user));

    public Task<ToolResult> RunAsync(TimeSpan? deadline, CancellationToken cancellationToken, params IEnumerable<string> arguments)
    {
        var (program, all) = Command(arguments, Environment.GetEnvironmentVariable("USER") == User?.Name && !Environment.IsPrivilegedProcess);
        if (Enter?.Invoke() is { Count: > 0 } way)
            (program, all) = (way[0], [.. way.Skip(1), program, .. all]);
        return Tool.RunAsync(program, all, null, deadline ?? Patience, cancellationToken);
    }

    /// <summary>A user's manager listens to that user alone, so root becomes it for the one command.</summary>
    internal (string Program, IReadOnlyList<string> Arguments) Command(IEnumerable<string> arguments, bool isUser)
    {
        if (User is not { } user)
            return ("systemctl", [.. arguments]);
        string[] own = ["-u", "DBUS_SESSION_BUS_ADDRESS", $"HOME={user.Home}", $"XDG_RUNTIME_DIR={RuntimeFolder}", "systemctl", "--user", .. arguments];
        return isUser || user.Id == 0
            ? ("env", own)
            : ("setpriv", [string.Create(CultureInfo.InvariantCulture, $"--reuid={user.Id}"), string.Create(CultureInfo.InvariantCulture, $"--regid={user.Group}"), "--init-groups", "env", .. own]);
    }
}
