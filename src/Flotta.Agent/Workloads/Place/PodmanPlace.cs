using System.Globalization;

namespace Flotta.Agent.Workloads;

/// <summary>Yes, no, or as the machine is.</summary>
internal enum Choice
{
    Auto,
    On,
    Off,
}

/// <summary>What the choice of a podman depends on.</summary>
/// <param name="Socket">The one that was asked for.</param>
/// <param name="Before">What was chosen at an earlier start; workloads must not end up in two podmans.</param>
/// <param name="User">The account for rootless containers, if there is one.</param>
/// <param name="Lingers">Whether its service manager starts at boot.</param>
/// <param name="SocketOwner">Whose runtime folder the socket that was asked for is in.</param>
internal sealed record Surroundings(Choice Rootless, string? Socket, string? Before, string UserName, Account? User, bool Lingers, Account? SocketOwner);

/// <summary>Which podman runs the workloads: the machine's own, or that of a user without rights.</summary>
/// <param name="User">Null: root's.</param>
internal sealed record PodmanPlace(string Socket, Account? User)
{
    public const string RootSocket = "/run/podman/podman.sock";

    /// <summary>How the choice is remembered.</summary>
    public string Name => User?.Name ?? "root";

    /// <summary>Not a podman of somebody's own: the one that the podman command talks to as well, which is what systemd's units use.</summary>
    public bool IsUsual => Socket == (User is null ? RootSocket : SocketOf(User));

    /// <exception cref="AgentStartException">With a sentence for a person.</exception>
    public static PodmanPlace Choose(Surroundings around)
    {
        if (around.Socket is { } asked)
        {
            var owner = around.SocketOwner ?? (around.Rootless == Choice.On ? Needed(around) : null);
            return around.Rootless == Choice.Off && owner is not null
                ? throw new AgentStartException($"The podman socket {asked} is that of user {owner.Name}, and rootless is off.")
                : new PodmanPlace(asked, owner);
        }
        var rootless = around.Rootless switch
        {
            Choice.On => true,
            Choice.Off => false,
            _ when around.Before is { } before => before != "root",
            _ => around.User is not null && around.Lingers,
        };
        return rootless ? OfUser(Needed(around)) : new PodmanPlace(RootSocket, null);
    }

    /// <summary>The user's id in a path like /run/user/1000/podman/podman.sock.</summary>
    public static uint? OwnerOf(string? socket) =>
        socket?.Split('/') is ["", "run", "user", var id, _, ..] && uint.TryParse(id, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static PodmanPlace OfUser(Account user) => new(SocketOf(user), user);

    private static string SocketOf(Account user) => $"{user.RuntimeFolder}/podman/podman.sock";

    private static Account Needed(Surroundings around) =>
        around.User ?? throw new AgentStartException($"There is no user {around.UserName} to run containers as. Create it, or set rootless to off.");
}
