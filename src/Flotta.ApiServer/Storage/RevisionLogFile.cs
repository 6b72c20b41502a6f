using Microsoft.Data.Sqlite;

namespace Flotta.ApiServer.Storage;

/// <summary>How the file is opened, and its tables.</summary>
internal static class RevisionLogFile
{
    /// <summary>Raised with every change of the tables; a file with a higher one is refused.</summary>
    public const int Format = 2;

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

    // What leads from each format to the next, in order. Each is one transaction: a start that is cut short begins where it was.
    private static readonly string[] Migrations =
    [
        // Events of events.k8s.io were kept beside those of v1; they are one thing now. What they had was of the last hour: it goes, and history begins anew where they were in it.
        """
        UPDATE meta SET value = max(value, (SELECT coalesce(max(revision), 0) FROM log))
            WHERE name = 'compacted' AND EXISTS(SELECT 1 FROM log WHERE resource = 'events.events.k8s.io');
        DELETE FROM current WHERE resource = 'events.events.k8s.io';
        DELETE FROM log WHERE EXISTS(SELECT 1 FROM log WHERE resource = 'events.events.k8s.io') AND revision NOT IN (SELECT revision FROM current);
        """,
    ];

    public static SqliteConnection Open(string path)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 30 }.ToString());
        connection.Open();
        // synchronous=FULL: an acknowledged write survives a power cut. The size limit lets a WAL that grew under load shrink again.
        Execute(connection, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-4096; PRAGMA journal_size_limit=16777216; PRAGMA temp_store=MEMORY");
        return connection;
    }

    /// <summary>As it is: nothing is set in it.</summary>
    public static SqliteConnection OpenExisting(string path)
    {
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 30, Mode = SqliteOpenMode.ReadWrite }.ToString());
        connection.Open();
        return connection;
    }

    /// <exception cref="ApiServerStartException">There is no such file, or it is not one that this version can read.</exception>
    public static void CheckOurs(string path)
    {
        if (!File.Exists(path))
            throw new ApiServerStartException($"There is no data file {path}.");
        using var connection = OpenExisting(path);
        Check(connection, path);
    }

    /// <summary>Makes the tables in a new file.</summary>
    /// <exception cref="ApiServerStartException">The file is of another program, or of a newer version of this one.</exception>
    public static void Prepare(string path)
    {
        if (!File.Exists(path))
            OwnerOnly.Create(path).Dispose();

        using var connection = Open(path);
        var format = Number(connection, "PRAGMA user_version");
        if (Check(connection, path))
        {
            for (; format < Format; format++)
                Migrate(connection, Migrations[format - 1], format + 1);
            return;
        }

        using var transaction = connection.BeginTransaction();
        Execute(connection, Tables + $"PRAGMA application_id={ApplicationId}; PRAGMA user_version={Format};", transaction);
        transaction.Commit();
    }

    // False: it is empty.
    private static bool Check(SqliteConnection connection, string path)
    {
        var (format, application) = (Number(connection, "PRAGMA user_version"), Number(connection, "PRAGMA application_id"));
        var empty = Number(connection, "SELECT count(*) FROM sqlite_schema") == 0;
        if (!empty && application != ApplicationId)
            throw new ApiServerStartException($"The file {path} is not a Flotta data file: move it away, or use another data directory.");
        if (format > Format)
        {
            throw new ApiServerStartException(
                $"The data in {path} was written by a newer version of Flotta (format {format}, this version knows up to {Format}): use that version, or another data directory.");
        }

        return !empty;
    }

    private static void Migrate(SqliteConnection connection, string sql, long to)
    {
        using var transaction = connection.BeginTransaction();
        Execute(connection, sql + $"PRAGMA user_version={to};", transaction);
        transaction.Commit();
    }

    public static void Execute(SqliteConnection connection, string sql, SqliteTransaction? transaction = null)
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
