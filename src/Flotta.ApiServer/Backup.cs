using Flotta.ApiServer.Storage;
using Microsoft.Data.Sqlite;

namespace Flotta.ApiServer;

/// <summary>All that a server keeps, in one file: its objects and its keys.</summary>
public static class Backup
{
    /// <summary>Also while the server runs: what is acknowledged when this begins is in it.</summary>
    /// <returns>How many objects are in it.</returns>
    /// <exception cref="ApiServerStartException">With one sentence for a person.</exception>
    public static long Write(string dataDirectory, string file) => Explained(file, () =>
    {
        var (database, keys) = DataDirectory.Files(dataDirectory);
        return BackupFile.Write(database, keys, Path.GetFullPath(file));
    });

    /// <summary>Only while no server uses the folder. Versions go on far ahead of any that were handed out before.</summary>
    /// <returns>How many objects are there now, and where the replaced data file is, if there was one.</returns>
    /// <exception cref="ApiServerStartException">With one sentence for a person.</exception>
    public static (long Objects, string? Kept) Restore(string file, string dataDirectory) => Explained(file, () =>
    {
        using var directory = DataDirectory.Open(dataDirectory);
        return BackupFile.Restore(Path.GetFullPath(file), directory.DatabaseFile, directory.KeysFolder);
    });

    /// <summary>Reads everything that is stored and compares it with what was written; also while the server runs.</summary>
    /// <returns>How many objects there are.</returns>
    /// <exception cref="ApiServerStartException">With one sentence for a person.</exception>
    public static long Check(string dataDirectory)
    {
        var (database, _) = DataDirectory.Files(dataDirectory);
        return Explained(database, () =>
        {
            RevisionLogFile.CheckOurs(database);
            return RevisionLog.Verify(database);
        });
    }

    private static T Explained<T>(string file, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (SqliteException e)
        {
            throw new ApiServerStartException(
                e.SqliteErrorCode switch
                {
                    11 or 26 => $"A data file is damaged, or {file} is no backup ({e.Message}).",
                    13 => $"There is no room left on the disk ({e.Message}).",
                    _ => e.Message,
                },
                e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ApiServerStartException(e.Message, e);
        }
    }
}
