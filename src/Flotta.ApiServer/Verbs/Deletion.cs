using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Discovery;

namespace Flotta.ApiServer.Verbs;

internal enum DeletionPlan
{
    /// <summary>Nothing holds it.</summary>
    Remove,

    /// <summary>Marked as being deleted; it goes with its last finalizer.</summary>
    Mark,

    /// <summary>It is marked already, and still held.</summary>
    Wait,
}

/// <summary>What a delete does to an object now.</summary>
internal static class Deletion
{
    public const string Foreground = "foregroundDeletion";
    public const string Orphan = "orphan";

    /// <summary>Changes the value in place to what is to be stored.</summary>
    /// <exception cref="StatusException">A precondition does not hold.</exception>
    public static DeletionPlan Of(ServedResource served, JsonObject value, DeleteOptions options, DateTimeOffset now)
    {
        var metadata = (JsonObject)value["metadata"]!;
        CheckPreconditions(served.Definition, metadata, options);
        var finalizers = (metadata["finalizers"] as JsonArray)?.Select(one => one.Text()!).ToList() ?? [];
        var wanted = Wanted(finalizers, options.Policy);
        var held = wanted.Count > 0 || KindRules.IsHeldBySpec(served, value);
        if (!held)
            return DeletionPlan.Remove;
        if (metadata["deletionTimestamp"] is not null && wanted.SequenceEqual(finalizers, StringComparer.Ordinal))
            return DeletionPlan.Wait;
        if (wanted.Count > 0)
            metadata["finalizers"] = new JsonArray([.. wanted.Select(one => (JsonNode)one)]);
        else
            metadata.Remove("finalizers");
        if (metadata["deletionTimestamp"] is not null)
            return DeletionPlan.Mark;
        metadata["deletionTimestamp"] = Timestamps.Seconds(now);
        metadata["deletionGracePeriodSeconds"] = 0;
        if (metadata["generation"] is JsonValue generation)
            metadata["generation"] = generation.GetValue<long>() + 1;
        KindRules.OnTerminating(served, value, now);
        return DeletionPlan.Mark;
    }

    private static List<string> Wanted(List<string> finalizers, Propagation? policy) => policy switch
    {
        null => finalizers,
        Propagation.Background => [.. finalizers.Where(one => one is not (Foreground or Orphan))],
        Propagation.Foreground => [.. finalizers.Where(one => one is not (Foreground or Orphan)), Foreground],
        _ => [.. finalizers.Where(one => one is not (Foreground or Orphan)), Orphan],
    };

    private static void CheckPreconditions(ResourceDefinition definition, JsonObject metadata, DeleteOptions options)
    {
        var (uid, version, name) = (metadata["uid"].Text(), metadata["resourceVersion"].Text(), metadata["name"].Text() ?? "");
        if (options.Uid is { Length: > 0 } wantedUid && wantedUid != uid)
        {
            throw new StatusException(Status.Conflict(
                definition, name, $"Precondition failed: UID in precondition: {wantedUid}, UID in object meta: {uid}"));
        }

        if (options.ResourceVersion is { Length: > 0 } wantedVersion && wantedVersion != version)
        {
            throw new StatusException(Status.Conflict(
                definition, name, $"Precondition failed: ResourceVersion in precondition: {wantedVersion}, ResourceVersion in object meta: {version}"));
        }
    }
}
