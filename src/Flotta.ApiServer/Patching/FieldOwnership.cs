using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.Patching;

/// <summary>Server-side apply and the managedFields it lives on. Nothing given is changed but the body of Record.</summary>
internal static class FieldOwnership
{
    /// <param name="live">Null when the object does not exist yet.</param>
    /// <returns>The merged object, its managedFields set.</returns>
    /// <exception cref="ApplyConflictException">Others own what this manager would change, and force is false.</exception>
    /// <exception cref="PatchException">The applied document has managedFields, a wrong shape, and so on.</exception>
    public static JsonObject Apply(ResourceDefinition definition, JsonObject? live, JsonObject applied, FieldManager manager, bool force) =>
        throw new NotSupportedException("not built yet");

    /// <summary>Sets the body's managedFields after a create (live is null), an update or any other patch by this manager.</summary>
    public static void Record(ResourceDefinition definition, JsonObject? live, JsonObject body, FieldManager manager)
    {
    }
}

/// <summary>Who writes.</summary>
/// <param name="Subresource">Empty for the object itself.</param>
internal sealed record FieldManager(string Name, string Subresource, DateTimeOffset Now)
{
    /// <summary>The fieldManager parameter, or else the user agent up to its first slash.</summary>
    public static string NameFor(string? parameter, string? userAgent) =>
        !string.IsNullOrEmpty(parameter) ? parameter : (userAgent ?? "").Split('/')[0] is { Length: > 0 } agent ? agent : "unknown";
}

/// <summary>409: the message is the server's sentence, the causes are ready for status.details.</summary>
internal sealed class ApplyConflictException(string message, IReadOnlyList<JsonObject> causes) : Exception(message)
{
    public IReadOnlyList<JsonObject> Causes { get; } = causes;
}
