using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flotta.Agent.Files;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Playbooks;

/// <summary>The executions on disk, 0600, in one file replaced whole; the playbooks beside it until they have run.</summary>
internal sealed partial class ExecutionStore(string folder, ILogger logger)
{
    private const string Suffix = ".yml";

    public static bool IsThere(string folder) => File.Exists(StateOf(folder));

    public IReadOnlyList<Execution> Load()
    {
        try
        {
            return IsThere(folder) ? JsonSerializer.Deserialize(File.ReadAllBytes(StateOf(folder)), ExecutionJson.Default.ListExecution)?.FindAll(one => one is { Key.Length: > 0 }) ?? [] : [];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            // What was there is asked for again.
            LogDamaged(logger, StateOf(folder), exception.Message);
            return [];
        }
    }

    /// <exception cref="IOException">Nothing was changed.</exception>
    public void Save(IReadOnlyList<Execution> executions)
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        DurableFile.Write(StateOf(folder), JsonSerializer.SerializeToUtf8Bytes([.. executions], ExecutionJson.Default.ListExecution));
        var kept = executions.Where(one => !one.HasEnded).Select(one => PlaybookOf(one.Key)).ToHashSet(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(folder, "*" + Suffix).Where(file => !kept.Contains(file)))
            File.Delete(file);
    }

    /// <summary>Before the execution that names it is saved.</summary>
    public void Keep(string key, string playbook)
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        DurableFile.Write(PlaybookOf(key), Encoding.UTF8.GetBytes(playbook));
    }

    /// <summary>Null when it is not there.</summary>
    public byte[]? Playbook(string key)
    {
        try
        {
            return File.ReadAllBytes(PlaybookOf(key));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string StateOf(string folder) => Path.Combine(folder, "executions.json");

    // A key comes from outside: no path is made of it.
    private string PlaybookOf(string key) => Path.Combine(folder, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))[..32] + Suffix);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Path} is damaged; what it knew of playbooks is lost: {Problem}")]
    private static partial void LogDamaged(ILogger logger, string path, string problem);
}
