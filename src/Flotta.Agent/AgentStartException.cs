namespace Flotta.Agent;

/// <summary>The agent cannot start. The message is one sentence for a person.</summary>
internal sealed class AgentStartException(string message, Exception? inner = null) : Exception(message, inner);
