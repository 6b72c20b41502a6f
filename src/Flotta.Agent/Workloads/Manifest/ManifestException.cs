namespace Flotta.Agent.Workloads;

/// <summary>A specification that cannot be run. The message says which field, for the person who wrote it.</summary>
internal sealed class ManifestException(string message) : Exception(message);
