using Flotta.Yggdrasil.Settings;
using Tomlyn.Model;

namespace Flotta.Yggdrasil.Workers;

/// <summary>One file of the folder <c>workers</c>: which program to run, and with what environment.</summary>
public sealed record WorkerFile(string Name, IReadOnlyList<string> Command, IReadOnlyDictionary<string, string> Environment)
{
    /// <exception cref="SettingsException">With a sentence for a person.</exception>
    public static WorkerFile Read(string path) => From(TomlFile.Read(path), path);

    internal static WorkerFile Parse(string text, string path) => From(TomlFile.Parse(text, path), path);

    private static WorkerFile From(TomlTable table, string path)
    {
        var command = table.TryGetValue("exec", out var exec) && exec is string text ? text.Split(' ', StringSplitOptions.RemoveEmptyEntries) : [];
        if (command.Length == 0 || !Path.IsPathRooted(command[0]))
            throw new SettingsException($"{path}: exec must be a program's absolute path and its arguments.");
        if (table.TryGetValue("protocol", out var protocol) && protocol is not "grpc")
            throw new SettingsException($"{path}: the only protocol is grpc.");
        return new WorkerFile(Path.GetFileNameWithoutExtension(path), command, Variables(table, path));
    }

    private static Dictionary<string, string> Variables(TomlTable table, string path)
    {
        var variables = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var item in table.TryGetValue("env", out var env) && env is TomlArray list ? list : [])
        {
            var pair = item as string ?? "";
            var equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
                throw new SettingsException($"{path}: env must be an array of NAME=VALUE.");
            var name = pair[..equals];
            // What the daemon says itself is not a worker file's to say.
            if (name != "PATH" && !name.StartsWith("YGG_", StringComparison.Ordinal))
                variables[name] = pair[(equals + 1)..];
        }

        return variables;
    }
}
