namespace Flotta.Yggdrasil.Credentials;

/// <summary>A certificate, key or CA file that cannot be used. The message is one sentence for a person and names the file.</summary>
public sealed class CredentialException(string message, Exception? inner = null) : Exception(message, inner);
