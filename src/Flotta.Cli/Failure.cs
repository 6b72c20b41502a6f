using Flotta.ApiServer;
using Flotta.EdgeApi;
using Flotta.Kube;
using Flotta.Operator;
using Microsoft.AspNetCore.Connections;

namespace Flotta.Cli;

/// <summary>Stops the program with a sentence that says what to do.</summary>
internal sealed class FailureException(string message, Exception? inner = null) : Exception(message, inner);

internal static class Failure
{
    /// <summary>One clear sentence for a person, whatever went wrong.</summary>
    public static string Explain(Exception exception) => exception switch
    {
        FailureException or FormatException or ApiServerStartException or EdgeApiStartException or OperatorStartException => exception.Message,
        KubeException refused => $"the API server refused: {refused.Message} ({(int)refused.StatusCode})",
        HttpRequestException or TimeoutException => $"the API server cannot be reached: {Innermost(exception)}",
        UnauthorizedAccessException => $"{exception.Message} Run as a user who may write there, or choose another folder.",
        IOException when AddressInUse(exception) => $"{exception.Message} Another program listens there; choose another port.",
        _ => Innermost(exception),
    };

    private static bool AddressInUse(Exception exception) =>
        exception is AddressInUseException || (exception.InnerException is { } inner && AddressInUse(inner));

    private static string Innermost(Exception exception) => exception.InnerException is { } inner ? Innermost(inner) : exception.Message;
}
