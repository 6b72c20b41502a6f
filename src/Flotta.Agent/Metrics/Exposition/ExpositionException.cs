namespace Flotta.Agent.Metrics;

/// <summary>What a target said is not metrics, or more than is taken from one target.</summary>
internal sealed class ExpositionException(string message) : Exception(message);
