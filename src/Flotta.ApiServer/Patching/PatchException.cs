namespace Flotta.ApiServer.Patching;

/// <summary>The message is the server's sentence, Code is 400, 413 or 422.</summary>
internal sealed class PatchException(int code, string message) : Exception(message)
{
    public int Code { get; } = code;
}
