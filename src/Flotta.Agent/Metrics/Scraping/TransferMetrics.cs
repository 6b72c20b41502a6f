namespace Flotta.Agent.Metrics;

/// <summary>What the data synchronisation transferred, under the original's names.</summary>
internal static class TransferMetrics
{
    /// <summary>The original's name for it, which no workload can have.</summary>
    public const string Source = "data transfer";

    private const string Files = "flotta_agent_datasync_files_transferred_counter";
    private const string Bytes = "flotta_agent_datasync_bytes_transferred_counter";
    private const string Seconds = "flotta_agent_datasync_time_transferred_counter";

    // The synchronisation never deletes, so that it stays 0; dashboards of before ask for it.
    private const string Deleted = "flotta_agent_datasync_deleted_files_transferred_counter";

    /// <summary>What is kept where the configuration names nothing.</summary>
    public static IReadOnlyList<string> DefaultNames { get; } = [Files, Bytes, Seconds, Deleted];

    public static IReadOnlyList<Sample> Of(string workload, string direction, long files, long bytes, TimeSpan time)
    {
        return [Named(Files, files), Named(Bytes, bytes), Named(Seconds, time.TotalSeconds), Named(Deleted, 0)];

        Sample Named(string name, double value) =>
            new(LabelSet.Of([new(LabelSet.NameLabel, name), new("workload_name", workload), new("direction", direction), new(WorkloadTarget.SourceLabel, Source)]), value);
    }
}
