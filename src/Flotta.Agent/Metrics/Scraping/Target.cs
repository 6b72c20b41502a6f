using System.Collections.Frozen;

namespace Flotta.Agent.Metrics;

/// <summary>Which metrics are kept: all, or those that are named.</summary>
internal sealed class AllowList(IReadOnlyCollection<string>? names)
{
    private readonly FrozenSet<string>? _names = names?.ToFrozenSet(StringComparer.Ordinal);

    public bool Allows(string name) => _names?.Contains(name) ?? true;
}

/// <summary>One address of a workload that is scraped.</summary>
/// <param name="Container">Given where the container was configured by name: its metrics are told from those of the others.</param>
internal sealed record WorkloadTarget(string Workload, string? Container, int Port, string Path)
{
    public const string SourceLabel = "metric_source";
    public const string ContainerLabel = "metric_container";

    public IReadOnlyList<KeyValuePair<string, string>> Labels { get; } =
        Container is null ? [new(SourceLabel, Workload)] : [new(SourceLabel, Workload), new(ContainerLabel, Container)];

    /// <summary>Null when host, port and path make no address.</summary>
    public Uri? At(string host) =>
        Uri.TryCreate($"http://{host}:{Port}{(Path.StartsWith('/') ? "" : "/")}{Path}", UriKind.Absolute, out var address) ? address : null;

    /// <summary>
    /// A pure function: the containers of one pod share its address, so those that say nothing of their own are one target.
    /// </summary>
    public static IReadOnlyList<WorkloadTarget> Of(Wire.Workload workload, IReadOnlyList<string> containers)
    {
        if (workload.Metrics is not { } metrics)
            return [];
        var targets = new List<WorkloadTarget>();
        foreach (var container in containers)
        {
            var own = metrics.Containers?.GetValueOrDefault(container);
            if (own?.Disabled == true)
                continue;
            var port = own?.Port is > 0 ? own.Port : metrics.Port;
            if (port is not (> 0 and <= 65535))
                continue;
            var path = own?.Path is { Length: > 0 } given ? given : metrics.Path is { Length: > 0 } common ? common : "/";
            if (targets.All(target => (target.Port, target.Path) != ((int)port, path)))
                targets.Add(new WorkloadTarget(workload.Name!, own is null ? null : container, (int)port, path));
        }

        return targets;
    }
}
