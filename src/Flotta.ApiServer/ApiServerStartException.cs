namespace Flotta.ApiServer;

/// <summary>The server cannot start; the message says why, in one sentence for a person.</summary>
public class ApiServerStartException : Exception
{
    public ApiServerStartException(string message)
        : base(message)
    {
    }

    public ApiServerStartException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
