namespace Flotta.Yggdrasil.Settings;

/// <summary>A configuration that cannot be used. The message is one sentence for a person.</summary>
public sealed class SettingsException(string message, Exception? inner = null) : Exception(message, inner);
