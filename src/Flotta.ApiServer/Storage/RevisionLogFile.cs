using Microsoft.Data.Sqlite;

namespace Flotta.ApiServer.Storage;

/// <summary>How the file is opened, and its tables.</summary>
internal static class RevisionLogFile
{
    /// <summary>Raised with every change of the tables; a file with a higher one is refused.</summary>
    public const int Format = 1;

    // "FLTA": tells our files from other SQLite files.
    private const int ApplicationId = 0x464C5441;

    // Values are once in the log; current only points there, so a write costs its bytes once. WITHOUT ROWID keeps current one tree.
    private const string Tables = """
        CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE log(
            revision INTEGER PRIMARY KEY, resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
            kind INTEGER NOT NULL, previous INTEGER NOT NULL, at INTEGER NOT NULL, sum INTEGER NOT NULL, value BLOB NOT NULL);
        CREATE TABLE current(
            resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, revision INTEGER NOT NULL,
            PRIMARY KEY (resource, namespace, name)) WITHOUT ROWID;
        INSERT INTO meta(name, value) VALUES ('compacted', 0);
        """;

    public static SqliteConnection Open(string path)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 30 }.ToString());
        connection.Open();
        // synchronous=FULL: an acknowledged write survives a power cut. The size limit lets a WAL that grew under load shrink again.
        Execute(connection, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-4096; PRAGMA journal_size_limit=16777216; PRAGMA temp_store=MEMORY");
        return connection;
    }

    /// <summary>Makes the tables in a new file.</summary>
    /// <exception cref="ApiServerStartException">The file is of another program, or of a newer version of this one.</exception>
    public static void Prepare(string path)
    {
        if (!File.Exists(path))
            OwnerOnly.Create(path).Dispose();

        using var connection = Open(path);
        var (format, application) = (Number(connection, "PRAGMA user_version"), Number(connection, "PRAGMA application_id"));
        var empty = Number(connection, "SELECT count(*) FROM sqlite_schema") == 0;
        if (!empty && application != ApplicationId)
            throw new ApiServerStartException($"The file {path} is not a Flotta data file: move it away, or use another data directory.");
        if (format > Format)
        {
            throw new ApiServerStartException(
                $"The data in {path} was written by a newer version of Flotta (format {format}, this version knows up to {Format}): use that version, or another data directory.");
        }

        if (!empty)
            return;
        using var transaction = connection.BeginTransaction();
        Execute(connection, Tables + $"PRAGMA application_id={ApplicationId}; PRAGMA user_version={Format};", transaction);
        transaction.Commit();
    }

    private static void Execute(SqliteConnection connection, string sql, SqliteTransaction? transaction = null)
    {
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static long Number(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }
}
