using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Flotta.ApiServer;
using Flotta.Cli.Moving;

namespace Flotta.Cli.Diagnosis;

/// <summary>The folder of an embedded installation, also while its server runs: who may read it, whether all in it is whole, and whether there is room.</summary>
internal static class DataFolder
{
    private const string Check = "data";
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
    private const int Probe = 256 * 1024;
    private const long Mebibyte = 1024 * 1024;

    public static IEnumerable<Finding> Find(string path, DateTimeOffset now)
    {
        var folder = Path.GetFullPath(path);
        var database = Path.Combine(folder, "flotta.db");
        if (!File.Exists(database))
            return [Finding.Error(Check, $"there is no embedded installation in {folder}", "Name its folder with --data-dir; 'flotta up' makes one")];
        return [.. Secrecy(folder), .. Wholeness(folder), .. Room(folder, database), .. Moved(folder), .. Keys(folder, now)];
    }

    /// <summary>Whether a server is using it.</summary>
    public static bool IsInUse(string path)
    {
        try
        {
            using var file = new FileStream(Path.Combine(path, "lock"), FileMode.Open, FileAccess.Read, FileShare.Read);
            return false;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
        catch (Exception taken) when (taken is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    /// <summary>What is left on the disk, against what a server may need at once: its log grows by what is written, and a backup or an upgrade copies the file.</summary>
    public static Finding Left(long available, long database)
    {
        var what = string.Create(CultureInfo.InvariantCulture, $"{available / Mebibyte} MiB are left on the disk, the data file has {database / Mebibyte}");
        if (available < 16 * Mebibyte)
            return Finding.Error("disk", what, "Make room: without it nothing is written any more (507), and devices are told to come back later");
        return available < Math.Max(256 * Mebibyte, 2 * database) ? Finding.Warning("disk", what, "Make room: an upgrade and a backup need as much as the file again") : Finding.Ok("disk", what);
    }

    private static IEnumerable<Finding> Secrecy(string folder)
    {
        // An empty file, such as the lock, tells nobody anything.
        var files = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(one => new FileInfo(one).Length > 0);
        var open = files.Prepend(folder).Where(one => (File.GetUnixFileMode(one) & Others) != UnixFileMode.None).ToList();
        if (open.Count == 0)
            yield return Finding.Ok(Check, "only its owner can read it");
        else
            yield return Finding.Error(Check, $"others may read or enter {open[0]}{(open.Count > 1 ? string.Create(CultureInfo.InvariantCulture, $" and {open.Count - 1} more") : "")}; there are keys in it", $"chmod -R go= {folder}");
    }

    private static IEnumerable<Finding> Wholeness(string folder)
    {
        Finding finding;
        try
        {
            finding = Finding.Ok(Check, string.Create(CultureInfo.InvariantCulture, $"all {Backup.Check(folder)} objects are whole"));
        }
        catch (ApiServerStartException damaged)
        {
            finding = Finding.Error(Check, damaged.Message.TrimEnd('.'), "Where it is damaged: flotta restore FILE --data-dir " + folder);
        }

        yield return finding;
    }

    private static IEnumerable<Finding> Room(string folder, string database)
    {
        yield return Left(new DriveInfo(folder).AvailableFreeSpace, new FileInfo(database).Length);
        var probe = Path.Combine(folder, ".doctor");
        Finding? failed = null;
        try
        {
            // A quota is not in the number of free bytes: writing tells.
            using (var file = new FileStream(probe, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            {
                file.Write(new byte[Probe]);
                file.Flush(flushToDisk: true);
            }
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            failed = Finding.Error("disk", $"nothing can be written to {folder} ({refused.Message.TrimEnd('.')})", "Make room, raise the quota, or make the folder writable for this user");
        }

        File.Delete(probe);
        if (failed is not null)
            yield return failed;
    }

    private static IEnumerable<Finding> Moved(string folder)
    {
        Finding? found = null;
        try
        {
            Journal.RefuseWhereMoved(folder);
        }
        catch (FailureException moved)
        {
            found = Finding.Warning(Check, moved.Message.TrimEnd('.'), "");
        }

        if (found is not null)
            yield return found;
    }

    // The API server's own, not those that devices see.
    private static IEnumerable<Finding> Keys(string folder, DateTimeOffset now)
    {
        foreach (var name in (string[])["ca.pem", "server.pem"])
        {
            var file = Path.Combine(folder, "pki", name);
            if (!File.Exists(file))
                continue;
            Finding finding;
            try
            {
                using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(file));
                finding = Certificates.Dates($"the API server's own {name}", certificate, now, "'flotta up' renews it when it starts");
            }
            catch (Exception unreadable) when (unreadable is CryptographicException or IOException or UnauthorizedAccessException)
            {
                finding = Finding.Error("certificates", $"{file} cannot be read ({unreadable.Message.TrimEnd('.')})", "Restore it from a backup");
            }

            yield return finding;
        }
    }
}
