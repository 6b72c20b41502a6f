using System.Globalization;
using Flotta.Wire;

namespace Flotta.Agent.Playbooks;

/// <summary>Somebody of this machine.</summary>
internal sealed record Account(string Name, int Uid, int Gid, string Home)
{
    public const int Root = 0;
}

/// <summary>The command line and the environment of a run. Pure; nothing of it ever goes through a shell.</summary>
internal static class PlaybookCommand
{
    public static readonly TimeSpan DefaultDeadline = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LongestDeadline = TimeSpan.FromDays(1);
    private const int LastCapability = 37;

    public static TimeSpan DeadlineOf(PlaybookOptions options) =>
        options.TimeoutSeconds is not > 0 ? DefaultDeadline : TimeSpan.FromSeconds(Math.Min(options.TimeoutSeconds.Value, (long)LongestDeadline.TotalSeconds));

    /// <summary>Why these options will not do on this machine; null when they will.</summary>
    /// <param name="me">Whom the agent runs as.</param>
    /// <param name="user">Whom the playbook is to run as; null when there is no such user here.</param>
    public static string? Problem(PlaybookOptions options, Account me, Account? user)
    {
        if (user is null)
            return $"There is no user {options.User} on this device.";
        if (user.Uid != me.Uid && me.Uid != Account.Root)
            return $"The agent runs as {me.Name}, and only root may run playbooks as {user.Name}.";
        if (Capabilities(options).FirstOrDefault(capability => capability is < 0 or > LastCapability, -2) is > -2 and var unknown)
            return string.Create(CultureInfo.InvariantCulture, $"There is no capability {unknown}; there are those from 0 to {LastCapability}.");
        if (Capabilities(options).Any() && me.Uid != Account.Root)
            return $"The agent runs as {me.Name}, and only root may give and take capabilities.";
        if (options.BecomeMethod is { Length: > 0 } method && method is not ("sudo" or "su"))
            return "becomeMethod should be sudo or su.";
        return null;
    }

    /// <param name="program">ansible-playbook.</param>
    public static IReadOnlyList<string> Arguments(PlaybookOptions options, Account me, Account user, string program, string playbook)
    {
        // A session of its own: what it starts can be found and ended together.
        List<string> arguments = ["setsid"];
        var capabilities = CapabilityFlags(options, user).ToList();
        if (user.Uid != me.Uid || capabilities.Count > 0)
        {
            arguments.Add("setpriv");
            if (user.Uid != me.Uid)
                arguments.AddRange([$"--reuid={user.Uid}", $"--regid={user.Gid}", "--init-groups"]);
            arguments.AddRange(capabilities);
            arguments.Add("--");
        }

        arguments.AddRange([program, "--inventory", "127.0.0.1,", "--connection", "local"]);
        if (options.Check == true)
            arguments.Add("--check");
        if (options.Become == true)
        {
            arguments.Add("--become");
            if (options.BecomeMethod is { Length: > 0 } method)
                arguments.Add("--become-method=" + method);
            if (options.BecomeUser is { Length: > 0 } other)
                arguments.Add("--become-user=" + other);
        }

        arguments.AddRange(["--", playbook]);
        return arguments;
    }

    /// <param name="mark">By which its processes are known again.</param>
    public static IReadOnlyDictionary<string, string> Environment(Account user, string path, string folder, string mark) => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["PATH"] = path,
        ["HOME"] = user.Home,
        ["USER"] = user.Name,
        ["LOGNAME"] = user.Name,
        // ansible wants UTF-8, and modules English.
        ["LC_ALL"] = "C.UTF-8",
        ["ANSIBLE_LOCAL_TEMP"] = Path.Combine(folder, "tmp"),
        ["ANSIBLE_REMOTE_TEMP"] = Path.Combine(folder, "tmp"),
        ["ANSIBLE_CALLBACK_PLUGINS"] = folder,
        ["ANSIBLE_STDOUT_CALLBACK"] = "flotta_events",
        ["ANSIBLE_RETRY_FILES_ENABLED"] = "false",
        ["ANSIBLE_NOCOLOR"] = "true",
        ["ANSIBLE_NOCOWS"] = "true",
        ["PYTHONDONTWRITEBYTECODE"] = "1",
        [Marks.Variable] = mark,
    };

    /// <summary>How a run ended, from its exit code and what it said.</summary>
    public static Attempt Ended(int exitCode, TaskEvents events, string errors)
    {
        if (exitCode == 0)
            return new Attempt(Succeeded: true, Reason: null, events.Summary, events.Tasks);
        if (events.Failed is not null)
            return new Attempt(Succeeded: false, Reasons.TasksFailed, events.Summary, events.Tasks);
        // Of an error in the playbook only the first line: the next ones quote it.
        var error = errors.Split('\n').Select(line => line.Trim()).FirstOrDefault(line => line.StartsWith("ERROR!", StringComparison.Ordinal) || line.StartsWith("[ERROR]", StringComparison.Ordinal))
            ?? errors.Split('\n').LastOrDefault(line => line.Trim().Length > 0)?.Trim();
        var reason = error?.Contains("ERROR", StringComparison.Ordinal) == true ? Reasons.PlaybookInvalid : Reasons.TasksFailed;
        return new Attempt(Succeeded: false, reason, Cut(error) ?? string.Create(CultureInfo.InvariantCulture, $"ansible-playbook ended with code {exitCode}."), events.Tasks);
    }

    public static string? Cut(string? text) => text is null ? null : text.Length <= 512 ? text : text[..512];

    private static IEnumerable<int> Capabilities(PlaybookOptions options) => (options.CapAdd ?? []).Concat(options.CapDrop ?? []);

    // root has every capability that is not taken away; everybody else has those that are given.
    private static IEnumerable<string> CapabilityFlags(PlaybookOptions options, Account user)
    {
        var dropped = (options.CapDrop ?? []).Distinct().Order().ToList();
        var added = user.Uid == Account.Root ? [] : (options.CapAdd ?? []).Except(options.CapDrop ?? []).Order().ToList();
        if (added.Count > 0)
        {
            yield return "--inh-caps=" + List(added, '+');
            yield return "--ambient-caps=" + List(added, '+');
        }

        if (dropped.Count > 0)
        {
            if (added.Count == 0)
                yield return "--inh-caps=" + List(dropped, '-');
            yield return "--bounding-set=" + List(dropped, '-');
        }
    }

    private static string List(IEnumerable<int> capabilities, char sign) => string.Join(',', capabilities.Select(capability => string.Create(CultureInfo.InvariantCulture, $"{sign}cap_{capability}")));
}
