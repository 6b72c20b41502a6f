namespace Flotta.Agent.Workloads;

/// <summary>How a unit is, as <c>systemctl show</c> tells it.</summary>
internal sealed record ServiceState(string Active, string Sub, bool HasJob)
{
    /// <summary>systemd is about to start it, or just does. Waiting for its next try is not that.</summary>
    public bool Starting => Sub != "auto-restart" && (HasJob || Active is "activating" or "reloading");

    /// <summary>systemd holds nothing of it, and will start nothing by itself.</summary>
    public bool AtRest => Active is "inactive" or "failed" && !HasJob;

    /// <summary>There are, or are about to be, processes of it.</summary>
    public bool Running => !AtRest && Sub != "auto-restart";

    public static ServiceState Parse(string output)
    {
        var values = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('=', 2)).Where(pair => pair.Length == 2)
            .GroupBy(pair => pair[0], StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.First()[1].Trim(), StringComparer.Ordinal);
        return new ServiceState(values.GetValueOrDefault("ActiveState", "inactive"), values.GetValueOrDefault("SubState", ""), values.GetValueOrDefault("Job", "0") is not ("0" or ""));
    }
}
