using System.Text.Json.Nodes;

namespace Flotta.Agent.Workloads;

internal enum ProbeKind
{
    Startup,
    Liveness,
    Readiness,
}

/// <summary>What a probe asks a container.</summary>
internal abstract record ProbeAction
{
    /// <summary>A command in the container; 0 is well.</summary>
    public sealed record Exec(IReadOnlyList<string> Command) : ProbeAction;

    public sealed record Http(string? Host, int Port, string Path, bool Secure, IReadOnlyList<KeyValuePair<string, string>> Headers) : ProbeAction;

    public sealed record Tcp(string? Host, int Port) : ProbeAction;
}

/// <summary>A probe of a container, as Kubernetes writes it. The agent asks, not podman, which would want systemd's timers for it and knows only one kind.</summary>
internal sealed record ContainerProbe(string Container, ProbeKind Kind, ProbeAction Action)
{
    private static readonly (ProbeKind Kind, string Key)[] Keys =
        [(ProbeKind.Startup, "startupProbe"), (ProbeKind.Liveness, "livenessProbe"), (ProbeKind.Readiness, "readinessProbe")];

    public TimeSpan Delay { get; init; }

    /// <summary>The port of the host that leads to the one it asks; the only way to a pod without an address of the host's network.</summary>
    public int? HostPort { get; init; }

    public TimeSpan Period { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(1);

    public int Successes { get; init; } = 1;

    public int Failures { get; init; } = 3;

    /// <summary>Takes the probes out of a container.</summary>
    public static IReadOnlyList<ContainerProbe> Take(JsonObject container)
    {
        var probes = new List<ContainerProbe>();
        foreach (var (kind, key) in Keys)
        {
            if (container.Map(key) is { } probe)
                probes.Add(From(container, kind, key, probe));
            container.Remove(key);
        }
        return probes;
    }

    private static ContainerProbe From(JsonObject container, ProbeKind kind, string key, JsonObject probe)
    {
        int Number(string name, int otherwise, int least) => probe.Integer(name) is { } number and not 0
            ? number >= least && number <= 86_400 ? number : throw new ManifestException($"{name} of {key} is out of range")
            : otherwise;
        var successes = Number("successThreshold", 1, 1);
        return kind != ProbeKind.Readiness && successes != 1
            ? throw new ManifestException($"successThreshold of {key} can only be 1")
            : new ContainerProbe(container.Text("name")!, kind, ActionOf(container, key, probe))
            {
                HostPort = HostPortOf(container, ActionOf(container, key, probe)),
                Delay = TimeSpan.FromSeconds(Number("initialDelaySeconds", 0, 0)),
                Period = TimeSpan.FromSeconds(Number("periodSeconds", 10, 1)),
                Timeout = TimeSpan.FromSeconds(Number("timeoutSeconds", 1, 1)),
                Successes = successes,
                Failures = Number("failureThreshold", 3, 1),
            };
    }

    private static ProbeAction ActionOf(JsonObject container, string key, JsonObject probe)
    {
        if (probe.Map("exec") is { } exec)
            return new ProbeAction.Exec(CommandOf(exec, key));
        if (probe.Map("tcpSocket") is { } tcp)
            return new ProbeAction.Tcp(HostOf(tcp, key), PortOf(container, tcp, key));
        if (probe.Map("httpGet") is not { } http)
            throw new ManifestException($"{key} is none of exec, httpGet and tcpSocket");
        var path = http.Text("path") is { Length: > 0 } given ? given : "/";
        var headers = http.Maps("httpHeaders").Select(header => KeyValuePair.Create(header.Text("name") ?? "", header.Text("value") ?? "")).ToList();
        return path.Length > 2048 || path.Any(char.IsControl) || headers.Exists(header => header.Key.Length == 0 || (header.Key + header.Value).Any(char.IsControl))
            ? throw new ManifestException($"{key} has a path or a header that cannot be sent")
            : new ProbeAction.Http(HostOf(http, key), PortOf(container, http, key), path.StartsWith('/') ? path : "/" + path, string.Equals(http.Text("scheme"), "HTTPS", StringComparison.OrdinalIgnoreCase), headers);
    }

    private static List<string> CommandOf(JsonObject exec, string key)
    {
        var command = exec["command"] is JsonArray list ? list.Select(item => new JsonObject { ["item"] = item?.DeepClone() }.Scalar("item") ?? "").ToList() : [];
        return command.Count > 0 ? command : throw new ManifestException($"{key} has no command");
    }

    private static string? HostOf(JsonObject action, string key) => action.Text("host") switch
    {
        null or "" => null,
        var host when Uri.CheckHostName(host) != UriHostNameType.Unknown => host,
        _ => throw new ManifestException($"{key} has no usable host"),
    };

    private static int? HostPortOf(JsonObject container, ProbeAction action)
    {
        var asked = action switch { ProbeAction.Http http => http.Port, ProbeAction.Tcp tcp => tcp.Port, _ => 0 };
        return container.Maps("ports").FirstOrDefault(port => port.Integer("containerPort") == asked)?.Integer("hostPort") is { } found and > 0 ? found : null;
    }

    /// <summary>The same question at the host's own address.</summary>
    public ContainerProbe ThroughHost() => (Action, HostPort) switch
    {
        (ProbeAction.Http { Host: null } http, { } port) => this with { Action = http with { Host = "127.0.0.1", Port = port } },
        (ProbeAction.Tcp { Host: null } tcp, { } port) => this with { Action = tcp with { Host = "127.0.0.1", Port = port } },
        _ => this,
    };

    /// <summary>A number, or the name of one of the container's ports.</summary>
    private static int PortOf(JsonObject container, JsonObject action, string key)
    {
        var port = action.Scalar("port");
        var named = container.Maps("ports").FirstOrDefault(one => one.Text("name") is { } name && name == port);
        return (named?.Integer("containerPort") ?? (int.TryParse(port, out var number) ? number : 0)) is var found and >= 1 and <= 65535
            ? found
            : throw new ManifestException($"{key} has no usable port");
    }
}
