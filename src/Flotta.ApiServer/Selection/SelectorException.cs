namespace Flotta.ApiServer.Selection;

/// <summary>The message is the server's sentence for a 400.</summary>
internal sealed class SelectorException(string message) : Exception(message)
{
    /// <summary>The field that cannot be selected by, where that is the reason.</summary>
    public string? UnknownField { get; init; }
}
