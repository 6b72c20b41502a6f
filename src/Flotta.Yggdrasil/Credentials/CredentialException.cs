namespace Flotta.Yggdrasil.Credentials;

/// <summary>A certificate, key or CA file that cannot be used. The message is one sentence for a person and names the file.</summary>
public sealed class CredentialException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>A certificate and a key are there, but not of one another: perhaps only one of the two has been replaced so far.</summary>
    public bool IsMismatch { get; init; }
}
