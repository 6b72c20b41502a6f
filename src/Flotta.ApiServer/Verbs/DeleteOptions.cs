using System.Text.Json.Nodes;

namespace Flotta.ApiServer.Verbs;

internal enum Propagation
{
    Background,
    Foreground,
    Orphan,
}

/// <summary>How a delete is to be done.</summary>
/// <param name="DryRun">Only say what would be.</param>
/// <param name="Policy">What becomes of what it owns; null: as the object's finalizers say, else in the background.</param>
/// <param name="Uid">Only if it is this one.</param>
/// <param name="ResourceVersion">Only if it is in this state.</param>
internal sealed record DeleteOptions(bool DryRun, Propagation? Policy, string? Uid, string? ResourceVersion)
{
    public static DeleteOptions None { get; } = new(false, null, null, null);

    /// <summary>From the body, which is optional, and the query.</summary>
    public static async Task<DeleteOptions> FromAsync(ObjectRequest request)
    {
        JsonObject? body = null;
        if (request.Http.Request.ContentLength is not (null or 0) || request.Http.Request.Headers.TransferEncoding.Count > 0)
        {
            (body, _) = await RequestBody.ObjectAsync(request.Http);
            if (body["kind"].Text() is { Length: > 0 } kind && kind != "DeleteOptions")
                throw new StatusException(Status.BadRequest($"no kind {Definitions.GoText.Quote(kind)} is accepted here: a delete takes DeleteOptions"));
        }

        var preconditions = body?["preconditions"] as JsonObject;
        var policy = body?["propagationPolicy"].Text() ?? request.Query("propagationPolicy");
        if (body?["orphanDependents"] is JsonValue orphan && orphan.TryGetValue<bool>(out var orphans) && orphans)
            policy = "Orphan";
        return new DeleteOptions(
            WriteOptions.IsDryRun(request) || (body?["dryRun"] is JsonArray { Count: > 0 } dry && dry.All(one => one.Text() == "All")),
            policy switch
            {
                "" => null,
                "Background" => Propagation.Background,
                "Foreground" => Propagation.Foreground,
                "Orphan" => Propagation.Orphan,
                _ => throw new StatusException(new Status(
                    422, "Invalid",
                    $"DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: {Definitions.GoText.Quote(policy)}: supported values: \"Background\", \"Foreground\", \"Orphan\"")),
            },
            preconditions?["uid"].Text(),
            preconditions?["resourceVersion"].Text());
    }
}
