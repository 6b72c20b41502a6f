namespace Flotta.EdgeApi;

/// <summary>There is more to do than can be taken now; the device is told to come back.</summary>
internal sealed class BusyException() : Exception("too much is waiting already");
