using Tomlyn;
using Tomlyn.Model;

namespace Flotta.Yggdrasil.Settings;

internal static class TomlFile
{
    private const long Largest = 1 << 20;

    public static TomlTable Read(string path)
    {
        try
        {
            if (new FileInfo(path).Length > Largest)
                throw new SettingsException($"{path} is larger than 1 MiB.");
            return Parse(File.ReadAllText(path), path);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new SettingsException($"{path} does not exist.", exception);
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
        {
            throw new SettingsException($"{path} cannot be read: {exception.Message}", exception);
        }
    }

    public static TomlTable Parse(string toml, string path)
    {
        try
        {
            return TomlSerializer.Deserialize(toml, TomlContext.Default.TomlTable) ?? [];
        }
        catch (TomlException exception)
        {
            // Behind a preamble about converters stands what and where.
            var text = exception.GetBaseException().Message.Split('\n')[0];
            var reason = text.LastIndexOf("Reason: ", StringComparison.Ordinal);
            throw new SettingsException($"{path} is not valid TOML: {(reason < 0 ? text : text[(reason + "Reason: ".Length)..]).Trim()}", exception);
        }
    }
}
