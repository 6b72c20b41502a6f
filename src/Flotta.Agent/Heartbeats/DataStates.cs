namespace Flotta.Agent.Heartbeats;

/// <param name="LastUpload">When something of it last arrived in the bucket, since the agent started.</param>
/// <param name="Problem">Why its data is not where it should be.</param>
internal sealed record DataState(DateTimeOffset? LastUpload, string? Problem)
{
    public const string Reason = "DataNotSynchronised";
}

/// <summary>What heartbeats say of workloads' data, by workload.</summary>
internal sealed class DataStates
{
    private readonly Lock _lock = new();
    private Dictionary<string, DataState> _all = new(StringComparer.Ordinal);

    public event Action? Changed;

    /// <summary>A snapshot.</summary>
    public IReadOnlyDictionary<string, DataState> All => Volatile.Read(ref _all);

    public void Set(string workload, DateTimeOffset? uploaded, string? problem)
    {
        bool isNews;
        lock (_lock)
        {
            var before = _all.GetValueOrDefault(workload);
            var after = new DataState(uploaded ?? before?.LastUpload, problem);
            if (after == (before ?? new DataState(null, null)))
                return;
            // That more arrived of what arrives all the time can wait for the next beat.
            isNews = after.Problem != before?.Problem || before?.LastUpload is null;
            _all = new Dictionary<string, DataState>(_all, StringComparer.Ordinal) { [workload] = after };
        }

        if (isNews)
            Changed?.Invoke();
    }
}
