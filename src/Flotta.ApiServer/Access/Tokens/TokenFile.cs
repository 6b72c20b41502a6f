using System.Text;
using Flotta.ApiServer.Storage;

namespace Flotta.ApiServer.Access.Tokens;

/// <summary>The file with the hashes of people's tokens. It is replaced whole, by whoever may write to the data directory, also while a server reads it.</summary>
internal static class TokenFile
{
    public static string In(string keysFolder) => Path.Combine(keysFolder, "tokens");

    /// <summary>None when there is no file.</summary>
    /// <exception cref="FormatException">Something else is in it.</exception>
    public static IReadOnlyList<StaticToken> Read(string file) =>
        File.Exists(file) ? [.. File.ReadLines(file).Where(line => line.Length > 0).Select(StaticToken.Parse)] : [];

    /// <summary>One writer at a time; what has run out goes.</summary>
    public static async Task ChangeAsync(
        string file, Func<IReadOnlyList<StaticToken>, IEnumerable<StaticToken>> change, TimeProvider time, CancellationToken cancellationToken)
    {
        await using var alone = await LockAsync(file + ".lock", time, cancellationToken);
        var lines = change(Read(file)).Where(one => one.Until > time.GetUtcNow()).Select(one => one.Line() + "\n");
        OwnerOnly.Write(file, Encoding.UTF8.GetBytes(string.Concat(lines)));
    }

    private static async Task<FileStream> LockAsync(string file, TimeProvider time, CancellationToken cancellationToken)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return new FileStream(file, options);
            }
            catch (IOException) when (attempt < 50)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(20, 100)), time, cancellationToken);
            }
        }
    }
}
