using System.Globalization;
using System.Text;

namespace Flotta.Agent.Workloads;

/// <param name="Name">Of the file, in the folder for its kind.</param>
internal sealed record UnitFile(UnitKind Kind, string Name, string Text)
{
    /// <summary>What systemd knows it as.</summary>
    public string Service => Path.ChangeExtension(Name, ".service");
}

internal enum UnitKind
{
    /// <summary>A service unit that says all itself.</summary>
    Service,

    /// <summary>A .kube file, which podman's generator makes a service of at boot and at each daemon-reload.</summary>
    Quadlet,
}

/// <summary>
/// Units of systemd as text. Both kinds come to the same: podman plays the manifest anew, with a container that stands for the whole pod and
/// whose end is the unit's. A Quadlet takes the ended pod away with it, so what shall stay ended (OnFailure) has a service unit with every podman.
/// </summary>
internal static class UnitText
{
    public const string Prefix = "flotta-workload-";

    /// <summary>Only files with this line are ours to change or remove.</summary>
    private const string Mark = "X-Flotta-Device=";

    // Growing pauses are the agent's; this is for the time without it.
    private const int RestartSeconds = 15;
    private const int StopSeconds = 30;
    private static readonly Version FirstQuadlet = new(4, 4);
    private static readonly Version FirstThatStays = new(4, 4);
    private static readonly Version FirstPropagation = new(4, 8);
    private static readonly Version FirstWithoutNetwork = new(5, 3);

    /// <summary>
    /// podman before 4.4, without rights, says that it is ready and what to look after from a process that ends at once, and systemd cannot always tell any more
    /// whose it was (containers/podman issue 23300; later ones stay, pull request 16709). Such a unit has started when the command has ended, and is over with
    /// its last process. What podman keeps for all pods, such as the process that holds the user's namespaces, is started outside of it and stays at its end:
    /// a podman that has lost that process refuses every command (issue 19456).
    /// </summary>
    private const string Unheard = """
        Type=forking
        GuessMainPID=no
        KillMode=process
        ExecStartPre=-/usr/bin/systemd-run --user --scope --quiet /usr/bin/podman unshare true

        """;

    public static string ServiceOf(string workload) => $"{Prefix}{workload}.service";

    public static UnitKind KindOf(UnitSpec spec, Version podman, bool hasGenerator) =>
        podman >= FirstQuadlet && hasGenerator && spec.Policy == RestartPolicy.Always ? UnitKind.Quadlet : UnitKind.Service;

    public static UnitFile Render(UnitSpec spec, UnitKind kind, Version podman, SystemdScope scope)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            # Written by flotta-agent, which undoes changes and removes this file with its workload.
            [Unit]
            Description=Flotta workload {spec.Workload}
            {Mark}{spec.DeviceId}
            StartLimitIntervalSec=0


            """);
        if (kind == UnitKind.Quadlet)
            Kube(text, spec, podman);
        text.Append("[Service]\n");
        if (kind == UnitKind.Service)
            Commands(text, spec, podman, scope.IsRootless);
        // A container that stands for the pod ends by a signal when the pod ends; only with its own code does that say something.
        if (!Propagates(spec, podman))
            text.Append("SuccessExitStatus=137 143\n");
        text.Append(CultureInfo.InvariantCulture, $"""
            Restart={Restart(spec, podman)}
            RestartSec={RestartSeconds}
            TimeoutStartSec=90
            TimeoutStopSec={spec.GraceSeconds + StopSeconds}

            [Install]
            WantedBy={scope.Target}

            """);
        return new UnitFile(kind, $"{Prefix}{spec.Workload}{(kind == UnitKind.Quadlet ? ".kube" : ".service")}", text.ToString());
    }

    /// <summary>The device that a unit was written for; null when it is somebody else's file.</summary>
    public static string? DeviceOf(string text) =>
        text.Split('\n').FirstOrDefault(line => line.StartsWith(Mark, StringComparison.Ordinal))?[Mark.Length..].Trim();

    private static void Kube(StringBuilder text, UnitSpec spec, Version podman)
    {
        text.Append(CultureInfo.InvariantCulture, $"[Kube]\nYaml={Specifiers(spec.ManifestPath)}\n");
        if (spec.Network is { } network)
            text.Append(CultureInfo.InvariantCulture, $"Network={network}\n");
        text.Append('\n');
        // What is on the device already needs no network to start.
        if (podman >= FirstWithoutNetwork)
            text.Append("[Quadlet]\nDefaultDependencies=false\n\n");
    }

    private static void Commands(StringBuilder text, UnitSpec spec, Version podman, bool rootless)
    {
        var network = spec.Network is { } name ? $" --network {name}" : "";
        var ending = Propagates(spec, podman) ? " --service-exit-code-propagation=any" : "";
        text.Append(rootless && podman < FirstThatStays ? Unheard : "Type=notify\n");
        text.Append(CultureInfo.InvariantCulture, $"""
            NotifyAccess=all
            Environment=PODMAN_SYSTEMD_UNIT=%n
            SyslogIdentifier=%N
            ExecStart=/usr/bin/podman kube play --replace --service-container=true{ending}{network} {Argument(spec.ManifestPath)}
            ExecStop=/usr/bin/podman pod stop --ignore -t {Math.Max(1, spec.GraceSeconds)} {spec.Workload}

            """);
    }

    // podman before 4.8 does not tell how a pod ended: then only the agent can know whether it has to run again.
    private static string Restart(UnitSpec spec, Version podman) => spec.Policy switch
    {
        RestartPolicy.Always => "always",
        RestartPolicy.OnFailure when Propagates(spec, podman) => "on-failure",
        _ => "no",
    };

    private static bool Propagates(UnitSpec spec, Version podman) => spec.Policy == RestartPolicy.OnFailure && podman >= FirstPropagation;

    private static string Specifiers(string path) => path.Replace("%", "%%", StringComparison.Ordinal);

    /// <summary>One word of a command, whatever is in it.</summary>
    private static string Argument(string path)
    {
        var word = Specifiers(path).Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("$", "$$", StringComparison.Ordinal);
        return word.All(letter => char.IsAsciiLetterOrDigit(letter) || "/._-%".Contains(letter, StringComparison.Ordinal)) ? word : $"\"{word}\"";
    }
}
