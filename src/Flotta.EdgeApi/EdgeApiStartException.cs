namespace Flotta.EdgeApi;

/// <summary>The Edge API cannot start; the message is a sentence for a person.</summary>
public sealed class EdgeApiStartException(string message, Exception? inner = null) : Exception(message, inner);
