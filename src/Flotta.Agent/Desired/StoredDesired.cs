using Flotta.Wire;

namespace Flotta.Agent.Desired;

/// <summary>A configuration that was good when it came, with the entity tag that it came with.</summary>
internal sealed record StoredDesired(DeviceConfigurationMessage Document, string? Tag)
{
    /// <summary>The one before the last: what the server has said since then is not known.</summary>
    public bool IsOutdated { get; init; }
}
