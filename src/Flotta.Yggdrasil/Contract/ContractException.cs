namespace Flotta.Yggdrasil.Contract;

/// <summary>What came over the socket is not of the contract.</summary>
public sealed class ContractException(string message, Exception? inner = null) : Exception(message, inner);
