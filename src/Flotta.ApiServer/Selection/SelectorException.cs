namespace Flotta.ApiServer.Selection;

/// <summary>The message is the server's sentence for a 400.</summary>
internal sealed class SelectorException(string message) : Exception(message);
