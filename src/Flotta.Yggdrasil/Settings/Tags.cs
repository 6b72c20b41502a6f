using System.Globalization;

namespace Flotta.Yggdrasil.Settings;

/// <summary>tags.toml: flat keys and values that connection-status publishes; <c>namespace</c> is where the device asks to land.</summary>
public sealed class Tags(string path)
{
    private const string NamespaceKey = "namespace";

    /// <summary>Differs when the file does.</summary>
    public object Stamp
    {
        get
        {
            var file = new FileInfo(path);
            return file.Exists ? (file.LastWriteTimeUtc, file.Length) : "absent";
        }
    }

    /// <exception cref="SettingsException">It is there and cannot be used.</exception>
    public IReadOnlyDictionary<string, string> Read()
    {
        if (!File.Exists(path))
            return new Dictionary<string, string>(StringComparer.Ordinal);
        return TomlFile.Read(path).ToDictionary(
            pair => pair.Key,
            pair => Text(pair.Value) ?? throw new SettingsException($"{path}: {pair.Key} must be a string, a number, a boolean or a date."),
            StringComparer.Ordinal);
    }

    public string Namespace() => Read().TryGetValue(NamespaceKey, out var found) && found.Length > 0 ? found : "default";

    private static string? Text(object? value) => value switch
    {
        string text => text,
        bool truth => truth ? "true" : "false",
        long or double or DateTime or DateTimeOffset or Tomlyn.TomlDateTime => Convert.ToString(value, CultureInfo.InvariantCulture),
        _ => null,
    };
}
