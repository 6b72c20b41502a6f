using Microsoft.Data.Sqlite;

namespace Flotta.ApiServer.Storage;

/// <summary>
/// The SQLite file: a log of every revision, and which of them are current. All SQL is here and in RevisionLogFile. One writer at a time (the store's loop);
/// Changes has a connection of its own and may be called by anyone.
/// </summary>
internal sealed class RevisionLog : IDisposable
{
    private readonly string path;
    private readonly SqliteConnection writer;
    private readonly SqliteConnection reader;
    private readonly Lock reading = new();
    private readonly SqliteCommand append;
    private readonly SqliteCommand point;
    private readonly SqliteCommand forget;
    private readonly SqliteCommand changes;

    private RevisionLog(string path, SqliteConnection writer, SqliteConnection reader)
    {
        this.path = path;
        this.writer = writer;
        this.reader = reader;
        append = Prepare(
            writer,
            "INSERT INTO log(revision, resource, namespace, name, kind, previous, at, sum, value) VALUES ($revision, $resource, $namespace, $name, $kind, $previous, $at, $sum, $value)",
            "$revision", "$resource", "$namespace", "$name", "$kind", "$previous", "$at", "$sum", "$value");
        point = Prepare(
            writer,
            "INSERT INTO current(resource, namespace, name, revision) VALUES ($resource, $namespace, $name, $revision) ON CONFLICT DO UPDATE SET revision = excluded.revision",
            "$resource", "$namespace", "$name", "$revision");
        forget = Prepare(writer, "DELETE FROM current WHERE resource = $resource AND namespace = $namespace AND name = $name", "$resource", "$namespace", "$name");
        changes = Prepare(
            reader,
            """
            SELECT l.revision, l.resource, l.namespace, l.name, l.at, l.sum, l.value, l.kind, l.previous, p.at, p.sum, p.value
            FROM log l LEFT JOIN log p ON p.revision = l.previous
            WHERE l.revision > $after AND l.revision <= $upTo AND l.resource = $resource ORDER BY l.revision LIMIT $limit
            """,
            "$after", "$upTo", "$resource", "$limit");
        Compacted = Number("SELECT value FROM meta WHERE name = 'compacted'");
        Revision = Math.Max(Compacted, Number("SELECT coalesce(max(revision), 0) FROM log"));
    }

    /// <summary>The newest.</summary>
    public long Revision { get; private set; }

    /// <summary>Changes after this one can be read.</summary>
    public long Compacted { get; private set; }

    /// <exception cref="ApiServerStartException">The file is not ours, is newer, damaged, or cannot be opened.</exception>
    public static RevisionLog Open(string path)
    {
        try
        {
            RevisionLogFile.Prepare(path);
            return new RevisionLog(path, RevisionLogFile.Open(path), RevisionLogFile.Open(path));
        }
        catch (SqliteException e)
        {
            throw Unreadable(path, e);
        }
    }

    /// <summary>Everything that exists.</summary>
    /// <exception cref="ApiServerStartException">A value is not what was written.</exception>
    public IEnumerable<StoredObject> Current()
    {
        // Pages that only say where others are: a broken one may hide objects.
        if (Text("PRAGMA quick_check(1)") is var said && said != "ok")
            throw new ApiServerStartException($"The data file {path} is damaged ({said}). Put a backup in its place.");
        using var command = writer.CreateCommand();
        command.CommandText = """
            SELECT l.revision, l.resource, l.namespace, l.name, l.at, l.sum, l.value, l.kind, c.resource, c.namespace, c.name
            FROM current c LEFT JOIN log l ON l.revision = c.revision ORDER BY c.resource, c.namespace, c.name
            """;
        using var rows = command.ExecuteReader();
        var resource = "";
        while (rows.Read())
        {
            var key = new ObjectKey(rows.GetString(8), rows.GetString(9), rows.GetString(10));
            if (rows.IsDBNull(0) || key != KeyOf(rows) || rows.GetInt32(7) == (int)ChangeKind.Deleted)
                throw Damaged(key, null);
            var one = Row(rows);
            // One string for all objects of a resource, and for all of a namespace mostly.
            if (one.Key.Resource == resource)
                one = new StoredObject(one.Key with { Resource = resource }, one.Revision, one.Json, one.WrittenAt);
            else
                resource = one.Key.Resource;
            yield return one;
        }
    }

    /// <summary>Reads everything in a file that nobody uses.</summary>
    /// <returns>How many objects.</returns>
    /// <exception cref="ApiServerStartException">It is damaged.</exception>
    public static long Verify(string path)
    {
        try
        {
            using var log = new RevisionLog(path, RevisionLogFile.OpenExisting(path), RevisionLogFile.OpenExisting(path));
            return log.Current().LongCount();
        }
        catch (SqliteException e)
        {
            throw Unreadable(path, e);
        }
    }

    /// <summary>All or nothing; on the disk when this returns.</summary>
    /// <exception cref="StorageException">Nothing was written.</exception>
    public void Append(IReadOnlyList<Change> batch)
    {
        try
        {
            using var transaction = writer.BeginTransaction();
            foreach (var change in batch)
                Append(change, transaction);
            transaction.Commit();
            Revision = batch[^1].Object.Revision;
        }
        catch (SqliteException e)
        {
            throw Failure(e);
        }
    }

    /// <summary>The next changes of a resource, oldest first, each with the state before it; at most limit.</summary>
    /// <exception cref="StorageException">What is on the disk is not what was written.</exception>
    public IReadOnlyList<Change> Changes(string resource, long after, long upTo, int limit)
    {
        lock (reading)
        {
            Set(changes, after, upTo, resource, limit);
            try
            {
                using var rows = changes.ExecuteReader();
                var found = new List<Change>();
                while (rows.Read())
                    found.Add(Changed(rows));
                return found;
            }
            catch (SqliteException e)
            {
                throw new StorageException($"The data file {path} could not be read: {e.Message}", full: false, e);
            }
            catch (ApiServerStartException e)
            {
                throw new StorageException(e.Message, full: false, e);
            }
        }
    }

    private Change Changed(SqliteDataReader rows)
    {
        var one = Row(rows);
        var previous = rows.IsDBNull(11) ? null : Checked(new StoredObject(one.Key, rows.GetInt64(8), rows.GetFieldValue<byte[]>(11), rows.GetInt64(9)), rows.GetInt64(10));
        return new Change((ChangeKind)rows.GetInt32(7), one, previous);
    }

    /// <summary>Forgets the revisions up to this one that are no longer current. What the change after it needs (its previous state) stays.</summary>
    public void Compact(long upTo)
    {
        try
        {
            using var transaction = writer.BeginTransaction();
            Execute(transaction, "DELETE FROM log WHERE revision IN (SELECT previous FROM log WHERE revision > $from AND revision <= $upTo AND previous > 0)", Compacted, upTo);
            Execute(transaction, "DELETE FROM log WHERE revision > $from AND revision <= $upTo AND kind = 2", Compacted, upTo);
            Execute(transaction, "UPDATE meta SET value = max($from, $upTo) WHERE name = 'compacted'", Compacted, upTo);
            transaction.Commit();
            Compacted = Math.Max(Compacted, upTo);
        }
        catch (SqliteException e)
        {
            throw Failure(e);
        }
    }

    public void Dispose()
    {
        foreach (var command in (SqliteCommand[])[append, point, forget, changes])
            command.Dispose();
        reader.Dispose();
        writer.Dispose();
    }

    private void Append(Change change, SqliteTransaction transaction)
    {
        var (one, key) = (change.Object, change.Object.Key);
        append.Transaction = point.Transaction = forget.Transaction = transaction;
        Set(
            append, one.Revision, key.Resource, key.Namespace, key.Name, (int)change.Kind, change.Previous?.Revision ?? 0, one.WrittenAt, (long)Checksum.Of(one.Json), one.Json);
        append.ExecuteNonQuery();
        if (change.Kind == ChangeKind.Deleted)
        {
            Set(forget, key.Resource, key.Namespace, key.Name);
            forget.ExecuteNonQuery();
        }
        else
        {
            Set(point, key.Resource, key.Namespace, key.Name, one.Revision);
            point.ExecuteNonQuery();
        }
    }

    private StoredObject Row(SqliteDataReader row) =>
        Checked(
            new StoredObject(KeyOf(row), row.GetInt64(0), row.GetFieldValue<byte[]>(6), row.GetInt64(4)),
            row.GetInt64(5));

    private StoredObject Checked(StoredObject one, long sum) =>
        Checksum.Of(one.Json) == sum
            ? one
            : throw Damaged(one.Key, one.Revision);

    private ApiServerStartException Damaged(ObjectKey key, long? revision) =>
        new($"The data file {path} is damaged: {key}{(revision is { } at ? $" at revision {at}" : "")} is not what was written. Put a backup in its place.");

    private static ObjectKey KeyOf(SqliteDataReader row) => new(row.GetString(1), row.GetString(2), row.GetString(3));

    private void Execute(SqliteTransaction transaction, string sql, long from, long upTo)
    {
        using var command = writer.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        command.Parameters.AddWithValue("$from", from);
        command.Parameters.AddWithValue("$upTo", upTo);
        command.ExecuteNonQuery();
    }

    private long Number(string sql)
    {
        using var command = writer.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }

    private string Text(string sql)
    {
        using var command = writer.CreateCommand();
        command.CommandText = sql;
        return (string)command.ExecuteScalar()!;
    }

    // Full, or no room for the file's shared index.
    private StorageException Failure(SqliteException e) =>
        e.SqliteErrorCode == 13 || e.SqliteExtendedErrorCode == 4874
            ? new StorageException($"There is no room left on the disk for {path}: nothing was changed, and writes work again when there is room.", full: true, e)
            : new StorageException($"The data file {path} could not be written: {e.Message}", full: false, e);

    private static ApiServerStartException Unreadable(string path, SqliteException e) => new(
        e.SqliteErrorCode is 11 or 26
            ? $"The data file {path} is damaged ({e.Message}): put a backup in its place, or move it away to start with nothing."
            : $"The data file {path} cannot be opened: {e.Message}",
        e);

    private static SqliteCommand Prepare(SqliteConnection connection, string sql, params string[] names)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var name in names)
            command.Parameters.Add(new SqliteParameter { ParameterName = name });
        return command;
    }

    private static void Set(SqliteCommand command, params ReadOnlySpan<object> values)
    {
        for (var i = 0; i < values.Length; i++)
            command.Parameters[i].Value = values[i];
    }
}
