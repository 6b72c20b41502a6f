using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Discovery;

namespace Flotta.ApiServer.Verbs;

/// <summary>What the server says of a new object itself.</summary>
internal static class NewObject
{
    /// <returns>The prefix from which its name is to be made; null: it has a name.</returns>
    /// <exception cref="StatusException">It says that it is somewhere else.</exception>
    public static string? Identify(ServedResource served, JsonObject value, string @namespace, DateTimeOffset now)
    {
        if (value["metadata"] is not JsonObject metadata)
            value["metadata"] = metadata = [];
        Place(served, metadata, @namespace);
        if (metadata["resourceVersion"].Text() is { Length: > 0 })
            throw new StatusException(Status.BadRequest("resourceVersion should not be set on objects to be created"));
        foreach (var name in (ReadOnlySpan<string>)["resourceVersion", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"])
            metadata.Remove(name);
        metadata["uid"] = Guid.NewGuid().ToString();
        metadata["creationTimestamp"] = Timestamps.Seconds(now);
        if (served.Definition.HasGeneration)
            metadata["generation"] = 1;
        return metadata["name"].Text() is { Length: > 0 } ? null : metadata["generateName"].Text() is { Length: > 0 } prefix ? prefix : null;
    }

    public static void Complete(ServedResource served, JsonObject value, Func<ResourceDefinition, string?> conflict, DateTimeOffset now)
    {
        var definition = served.Definition;
        if (definition.HasStatus)
            value.Remove("status");
        definition.Schema?.Default(value);
        definition.Normalise?.Invoke(value, null);
        KindRules.OnCreate(served, value, conflict, now);
    }

    /// <exception cref="StatusException">It says that it is in another namespace.</exception>
    public static void Place(ServedResource served, JsonObject metadata, string @namespace)
    {
        if (!served.Definition.Namespaced)
        {
            if (metadata["namespace"].Text() is { Length: > 0 })
                throw new StatusException(Status.BadRequest("the namespace of the provided object does not match the namespace sent on the request"));
            metadata.Remove("namespace");
            return;
        }

        if (metadata["namespace"].Text() is { Length: > 0 } said && said != @namespace)
            throw new StatusException(Status.BadRequest("the namespace of the provided object does not match the namespace sent on the request"));
        metadata["namespace"] = @namespace;
    }
}
