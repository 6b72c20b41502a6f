namespace Flotta.Kube;

/// <summary>Somebody else may have the Lease by now; nothing was written.</summary>
public sealed class LeaseLostException() : Exception("the Lease is not held any more, so nothing is written");
