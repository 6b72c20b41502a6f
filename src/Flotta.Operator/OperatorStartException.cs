namespace Flotta.Operator;

/// <summary>The Operator cannot start; the message is a sentence for a person.</summary>
public sealed class OperatorStartException(string message, Exception? inner = null) : Exception(message, inner);
