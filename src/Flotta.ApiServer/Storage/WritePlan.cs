namespace Flotta.ApiServer.Storage;

/// <summary>What a batch of writes does to a state: which are done at which revision, and which are too late.</summary>
/// <param name="Changes">In order of revision.</param>
/// <param name="Results">One for each write, in order.</param>
/// <param name="After">The state with all the changes.</param>
internal sealed record WritePlan(IReadOnlyList<Change> Changes, IReadOnlyList<WriteResult> Results, StoreState After)
{
    public static WritePlan Of(StoreState before, IEnumerable<Write> writes, long now)
    {
        var changes = new List<Change>();
        var results = new List<WriteResult>();
        var touched = new Dictionary<ObjectKey, StoredObject?>();
        var revision = before.Revision;
        foreach (var write in writes)
        {
            var present = Present(write.Key);
            if (write.Guards.Any(guard => Present(guard.Key)?.Revision != guard.Revision))
            {
                results.Add(new WriteResult(WriteOutcome.GuardBroken, present));
            }
            else if ((present?.Revision ?? 0) != write.Expected)
            {
                results.Add(new WriteResult(WriteOutcome.Conflict, present));
            }
            else
            {
                revision++;
                var made = new StoredObject(present?.Key ?? write.Key, revision, write.Value.At(revision), now);
                changes.Add(new Change(write.Kind, made, present));
                touched[write.Key] = write.Kind == ChangeKind.Deleted ? null : made;
                results.Add(new WriteResult(WriteOutcome.Done, made));
            }
        }

        return new WritePlan(changes, results, changes.Count == 0 ? before : before.With(changes));

        StoredObject? Present(ObjectKey key) => touched.TryGetValue(key, out var changed) ? changed : before.Get(key);
    }
}
