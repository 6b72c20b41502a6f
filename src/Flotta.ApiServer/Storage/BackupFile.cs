using Microsoft.Data.Sqlite;

namespace Flotta.ApiServer.Storage;

/// <summary>Copies of the data file: taken while it is in use, and put back so that no version is ever handed out twice.</summary>
internal static class BackupFile
{
    // More writes than happen between a backup and the day that it is needed: what was handed out after it stays behind what is handed out next.
    private const long Leap = 1_000_000_000;

    /// <summary>One consistent state, with the files of the keys folder in it; each value checked. Whole or not at all.</summary>
    /// <returns>How many objects.</returns>
    public static long Write(string database, string keysFolder, string file)
    {
        RevisionLogFile.CheckOurs(database);
        var temporary = file + ".new";
        File.Delete(temporary);
        OwnerOnly.Create(temporary).Dispose();
        try
        {
            using (var source = RevisionLogFile.OpenExisting(database))
            using (var copy = RevisionLogFile.OpenExisting(temporary))
            {
                source.BackupDatabase(copy);
                // A copy is one file: nothing of it may stay in a write-ahead log.
                RevisionLogFile.Execute(copy, "PRAGMA journal_mode=DELETE; CREATE TABLE files(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID");
                foreach (var key in Directory.Exists(keysFolder) ? Directory.GetFiles(keysFolder) : [])
                    Insert(copy, Path.GetFileName(key), File.ReadAllBytes(key));
            }

            var count = RevisionLog.Verify(temporary);
            OwnerOnly.Flush(temporary);
            File.Move(temporary, file, overwrite: true);
            return count;
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>Puts a backup in the place of the data file; what was there before stays beside it.</summary>
    /// <returns>How many objects, and where the old file is, if there was one.</returns>
    public static (long Objects, string? Kept) Restore(string file, string database, string keysFolder)
    {
        RevisionLogFile.CheckOurs(file);
        var count = RevisionLog.Verify(file);
        var temporary = database + ".new";
        File.Delete(temporary);
        using (var made = OwnerOnly.Create(temporary))
        using (var source = File.OpenRead(file))
            source.CopyTo(made);
        try
        {
            var newest = Newest(database);
            using (var copy = RevisionLogFile.OpenExisting(temporary))
            {
                OwnerOnly.MakeFolder(keysFolder);
                foreach (var (name, value) in Files(copy))
                    OwnerOnly.Write(Path.Combine(keysFolder, Path.GetFileName(name)), value);
                // History before the leap is forgotten: who asks for a later part of it is told to start over.
                RevisionLogFile.Execute(copy, $"""
                    DROP TABLE files;
                    DELETE FROM log WHERE revision NOT IN (SELECT revision FROM current);
                    UPDATE meta SET value = max(value, (SELECT coalesce(max(revision), 0) FROM log), {newest}) + {Leap} WHERE name = 'compacted';
                    """);
            }

            OwnerOnly.Flush(temporary);
            var kept = Keep(database);
            File.Move(temporary, database);
            return (count, kept);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    // Versions that the present file handed out count as well, where it can still be read.
    private static long Newest(string database)
    {
        try
        {
            if (!File.Exists(database))
                return 0;
            using var log = RevisionLog.Open(database);
            return log.Revision;
        }
        catch (Exception e) when (e is ApiServerStartException or SqliteException)
        {
            return 0;
        }
    }

    private static string? Keep(string database)
    {
        if (!File.Exists(database))
            return null;
        var kept = database + ".before-restore";
        foreach (var part in (string[])["", "-wal", "-shm"])
        {
            File.Delete(kept + part);
            if (File.Exists(database + part))
                File.Move(database + part, kept + part);
        }

        return kept;
    }

    private static void Insert(SqliteConnection copy, string name, byte[] value)
    {
        using var command = copy.CreateCommand();
        command.CommandText = "INSERT INTO files(name, value) VALUES ($name, $value)";
        command.Parameters.AddWithValue("$name", name);
        command.Parameters.AddWithValue("$value", value);
        command.ExecuteNonQuery();
    }

    private static List<(string Name, byte[] Value)> Files(SqliteConnection copy)
    {
        using var command = copy.CreateCommand();
        command.CommandText = "SELECT name, value FROM files";
        using var rows = command.ExecuteReader();
        var found = new List<(string, byte[])>();
        while (rows.Read())
            found.Add((rows.GetString(0), rows.GetFieldValue<byte[]>(1)));
        return found;
    }
}
