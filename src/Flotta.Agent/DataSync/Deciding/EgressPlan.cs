namespace Flotta.Agent.DataSync;

internal sealed record Sending(LocalFile File, string Key);

/// <summary>What goes from one folder into the bucket: a pure function of what is there, what is remembered and, where somebody looked, what is in the bucket.</summary>
/// <param name="Send">Missing there, or changed since.</param>
/// <param name="Known">There already, to be remembered.</param>
/// <param name="Unsettled">Being written, so it seems.</param>
internal sealed record EgressPlan(IReadOnlyList<Sending> Send, IReadOnlyList<Synced> Known, IReadOnlyList<string> Unsettled)
{
    /// <summary>For so long a file has to be as it is.</summary>
    public static readonly TimeSpan Settled = TimeSpan.FromSeconds(2);

    /// <param name="remembered">What is known of a file and its key.</param>
    /// <param name="bucket">By key; null when nobody looked.</param>
    /// <param name="impatient">Files that are sent as they are, since they never settle.</param>
    public static EgressPlan Of(
        DataRoute route,
        IReadOnlyList<LocalFile> files,
        Func<string, string, Synced?> remembered,
        IReadOnlyDictionary<string, RemoteObject>? bucket,
        Func<string, bool> impatient,
        DateTimeOffset now)
    {
        var (send, known, unsettled) = (new List<Sending>(), new List<Synced>(), new List<string>());
        foreach (var file in files)
        {
            var key = ObjectKeys.Of(route, file.Path);
            var there = bucket?.GetValueOrDefault(key);
            if (remembered(file.Path, key) is { } before && before.Size == file.Size && before.Modified == file.Modified && (bucket is null || there?.Size == file.Size))
                continue;
            // As the original compared: there, of the same size, and not older.
            if (there is not null && there.Size == file.Size && file.ModifiedAt <= there.LastModified)
                known.Add(new Synced(file.Path, key, file.Size, file.Modified, there.ETag));
            else if (now - file.ModifiedAt is var age && age >= TimeSpan.Zero && age < Settled && !impatient(file.Path))
                unsettled.Add(file.Path);
            else
                send.Add(new Sending(file, key));
        }

        return new EgressPlan(send, known, unsettled);
    }
}
