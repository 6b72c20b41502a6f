namespace Flotta.Agent.Workloads;

/// <summary>Where the agent keeps what belongs to workloads. Names have been checked before they come here.</summary>
internal sealed class WorkloadFolders(string dataDirectory)
{
    /// <summary>All that is ours to remove at deregistration, apart from <see cref="Exports"/>.</summary>
    public string Workloads { get; } = Path.Combine(dataDirectory, "workloads");

    /// <summary>The folders that containers see as /export.</summary>
    public string Exports { get; } = Path.Combine(dataDirectory, "volumes");

    public string Of(string workload) => Path.Combine(Workloads, workload);

    /// <summary>Contents of ConfigMap and Secret volumes, a folder for each hash.</summary>
    public string Files(string workload) => Path.Combine(Of(workload), "files");

    public string Export(string workload) => Path.Combine(Exports, workload);

    /// <summary>The manifest that ran last.</summary>
    public string LastGood(string workload) => Path.Combine(Of(workload), "last-good.json");

    /// <summary>The update that could not be run, so that a restart of the agent does not try it at once again.</summary>
    public string Failed(string workload) => Path.Combine(Of(workload), "failed.json");
}
