namespace Flotta.Wire;

/// <summary>Bytes that are not the message they should be. The text names the place, never a value.</summary>
public sealed class WireFormatException(string message, Exception? inner = null) : Exception(message, inner);
