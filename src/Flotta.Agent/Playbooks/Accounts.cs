using System.Globalization;
using Flotta.Agent.Processes;

namespace Flotta.Agent.Playbooks;

/// <summary>The users of this machine, as its name service knows them.</summary>
internal static class Accounts
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Null when there is none.</summary>
    public static async Task<Account?> FindAsync(string user, CancellationToken cancellationToken)
    {
        // A name that starts with a dash is no name, and would be taken for an option.
        if (user.StartsWith('-') || user.Contains(':', StringComparison.Ordinal))
            return null;
        var found = await Tool.RunAsync("getent", ["passwd", user], null, Patience, cancellationToken);
        return found.IsOk ? Parse(found.Output) : null;
    }

    public static async Task<Account> MineAsync(CancellationToken cancellationToken)
    {
        var me = Environment.IsPrivilegedProcess ? "0" : await UidAsync(cancellationToken);
        return await FindAsync(me, cancellationToken)
            ?? new Account(Environment.UserName, int.Parse(me, CultureInfo.InvariantCulture), -1, Environment.GetFolderPath(Environment.SpecialFolder.UserProfile));
    }

    /// <summary>A line of passwd: name, password, uid, gid, comment, home, shell.</summary>
    public static Account? Parse(string line)
    {
        var fields = line.Split('\n')[0].Split(':');
        return fields.Length >= 6
            && int.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out var uid)
            && int.TryParse(fields[3], NumberStyles.None, CultureInfo.InvariantCulture, out var gid)
                ? new Account(fields[0], uid, gid, fields[5].Length > 0 ? fields[5] : "/")
                : null;
    }

    private static async Task<string> UidAsync(CancellationToken cancellationToken) =>
        (await Tool.RunAsync("id", ["-u"], null, Patience, cancellationToken)) is { IsOk: true } found ? found.Output.Trim() : "-1";
}
