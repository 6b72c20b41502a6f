using System.Security.Cryptography;
using Flotta.Wire;

namespace Flotta.Fleet.Devices;

/// <summary>By what two configurations are told apart.</summary>
/// <param name="Tag">To ask with; null where the server gives none.</param>
internal sealed record ConfigurationMark(string? Tag, string Content)
{
    /// <summary>
    /// Where the server gives no tag it is the content without its version: the original's version changes with every report that a device makes, and who took that for news
    /// would report again.
    /// </summary>
    public static ConfigurationMark Of(DeviceConfigurationMessage message, string? tag) =>
        tag is not null
            ? new(tag, tag)
            : new(null, Convert.ToHexString(SHA256.HashData(WireJson.Write(message with { Version = null }, WireJson.Types.DeviceConfigurationMessage))));
}
