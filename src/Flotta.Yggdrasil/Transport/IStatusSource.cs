using Flotta.Wire;

namespace Flotta.Yggdrasil.Transport;

/// <summary>What a connection-status message says.</summary>
public interface IStatusSource
{
    /// <summary>Differs when there is something new to say; cheap to ask for.</summary>
    object Stamp { get; }

    ConnectionStatus Read();
}
