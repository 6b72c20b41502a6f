using Flotta.Wire;
using Flotta.Yggdrasil.Settings;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;

namespace Flotta.Yggdrasil.Facts;

/// <summary>connection-status of this machine: canonical facts, its handlers (in one process the one for the device), and tags.toml.</summary>
public sealed partial class StatusSource(Tags tags, string commonName, ILogger<StatusSource> logger, Dispatch.Registry? registry = null) : IStatusSource
{
    private static readonly Dictionary<string, string> NoFeatures = new(StringComparer.Ordinal);

    public object Stamp => (tags.Stamp, registry?.Stamp);

    public ConnectionStatus Read() =>
        new()
        {
            CanonicalFacts = CanonicalFactsReader.Read(commonName),
            Dispatchers = registry?.Dispatchers() ?? new Dictionary<string, IReadOnlyDictionary<string, string>>(StringComparer.Ordinal) { [Directives.Device] = NoFeatures },
            State = "online",
            Tags = ReadTags(),
        };

    private IReadOnlyDictionary<string, string>? ReadTags()
    {
        try
        {
            return tags.Read();
        }
        catch (SettingsException exception)
        {
            LogTags(logger, exception.Message);
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "tags are left out: {Problem}")]
    private static partial void LogTags(ILogger logger, string problem);
}
