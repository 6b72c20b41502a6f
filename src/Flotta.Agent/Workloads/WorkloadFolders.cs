namespace Flotta.Agent.Workloads;

/// <summary>Where the agent keeps what belongs to workloads. Names have been checked before they come here.</summary>
/// <param name="root">The agent's own folder; with containers of a user without rights, one beside it that this user may go through.</param>
/// <param name="user">Whose containers they are; null for root's.</param>
internal sealed class WorkloadFolders(string root, Account? user = null)
{
    public Account? User => user;

    /// <summary>All that is ours to remove at deregistration, apart from <see cref="Exports"/>.</summary>
    public string Workloads { get; } = Path.Combine(root, "workloads");

    /// <summary>The folders that containers see as /export.</summary>
    public string Exports { get; } = Path.Combine(root, "volumes");

    /// <summary>Which images the agent brought.</summary>
    public string Images { get; } = Path.Combine(root, "images.json");

    public static WorkloadFolders In(string dataDirectory, Account? user)
    {
        var own = Path.TrimEndingDirectorySeparator(Path.GetFullPath(dataDirectory));
        return new WorkloadFolders(user is null ? own : $"{own}-{user.Name}", user);
    }

    public string Of(string workload) => Path.Combine(Workloads, workload);

    /// <summary>Contents of ConfigMap and Secret volumes, a folder for each hash.</summary>
    public string Files(string workload) => Path.Combine(Of(workload), "files");

    public string Export(string workload) => Path.Combine(Exports, workload);

    /// <summary>The manifest that ran last.</summary>
    public string LastGood(string workload) => Path.Combine(Of(workload), "last-good.json");

    /// <summary>The same as systemd's unit plays it.</summary>
    public string Pod(string workload) => Path.Combine(Of(workload), "pod.yaml");

    /// <summary>Which images exactly a workload runs that follows what is behind their names.</summary>
    public string Pins(string workload) => Path.Combine(Of(workload), "images.json");

    /// <summary>The update that could not be run, so that a restart of the agent does not try it at once again.</summary>
    public string Failed(string workload) => Path.Combine(Of(workload), "failed.json");

    /// <summary>The folder beside the agent's own, once nothing is left of any workload; never the agent's own.</summary>
    public void Leave()
    {
        if (user is not null && Directory.Exists(root))
            Directory.Delete(root, recursive: true);
    }

    /// <summary>The folders down to a workload's own, for whoever has to read in them and nobody else.</summary>
    public void Prepare(string workload)
    {
        if (user is not null)
            Ownership.CreateFolder(root, user);
        Ownership.CreateFolder(Workloads, user);
        Ownership.CreateFolder(Exports, user);
        Ownership.CreateFolder(Of(workload), user);
    }
}
