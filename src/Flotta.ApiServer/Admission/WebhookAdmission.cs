using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Discovery;
using Flotta.ApiServer.Patching;
using Flotta.ApiServer.Storage;
using Flotta.ApiServer.Verbs;
using Microsoft.Extensions.Logging;

namespace Flotta.ApiServer.Admission;

/// <summary>Asks the webhooks before a write: first those that may change it, one after the other, then those that may only refuse it, all at once.</summary>
internal sealed class WebhookAdmission(ObjectStore store, ResourceCatalog catalog, IReadOnlyList<WriteCheck> checks, ILogger logger) : IDisposable
{
    private const string Group = "admissionregistration.k8s.io";

    private readonly Webhooks mutating = new(store, "mutatingwebhookconfigurations." + Group);
    private readonly Webhooks validating = new(store, "validatingwebhookconfigurations." + Group);

    /// <summary>What the object became; null: nobody changed it.</summary>
    /// <exception cref="StatusException">Refused, or could not be asked.</exception>
    public async Task<JsonObject?> MutateAsync(AdmissionAttributes write, List<string> warnings, CancellationToken cancellationToken)
    {
        JsonObject? changed = null;
        foreach (var (webhook, version) in Concerned(mutating, write))
        {
            var answer = await AskAsync(webhook, version, write, warnings, cancellationToken);
            if (write.Object is null || answer is not { } response || response["patch"].AsText() is not { Length: > 0 } patch)
                continue;
            changed = Patched(webhook, version, write, patch);
            write = write with { Object = changed };
        }

        return changed;
    }

    /// <exception cref="StatusException">Refused, or could not be asked.</exception>
    public async Task ValidateAsync(AdmissionAttributes write, List<string> warnings, CancellationToken cancellationToken)
    {
        Check(write);
        var asked = Concerned(validating, write).Select(one => AskAsync(one.Webhook, one.Version, write, warnings, cancellationToken)).ToList();
        if (asked.Count > 0)
            await Task.WhenAll(asked);
    }

    public void Dispose()
    {
        mutating.Dispose();
        validating.Dispose();
    }

    private void Check(AdmissionAttributes write)
    {
        if (write is not { Object: { } wanted, Subresource: "" })
            return;
        foreach (var check in checks.Where(check => check.Group == write.Definition.Group && check.Resource == write.Definition.Plural))
        {
            if (check.Refusals(write.Old, wanted) is { Count: > 0 } errors)
                throw new StatusException(Denied(check.Name, new JsonObject { ["code"] = 422, ["reason"] = "Invalid", ["message"] = string.Join("; ", errors) }));
        }
    }

    private List<(Webhook Webhook, ServedResource Version)> Concerned(Webhooks webhooks, AdmissionAttributes write)
    {
        var found = new List<(Webhook, ServedResource)>();
        // Nobody may lock himself out: what says who is asked is not asked about.
        if (write.Definition.Group == Group)
            return found;
        JsonObject? space = null;
        var known = false;
        foreach (var webhook in webhooks.Current)
        {
            if (!known)
                (space, known) = (SpaceOf(write), true);
            if (webhook.Wants(write, catalog.Current.All.Where(one => one.Resource == write.Served.Resource), space) is { } version)
                found.Add((webhook, version));
        }

        return found;
    }

    // The namespace whose labels count: of a namespace its own.
    private JsonObject? SpaceOf(AdmissionAttributes write)
    {
        if (write.Served.Resource == KindRules.Namespaces)
            return write.Object ?? write.Old;
        if (!write.Definition.Namespaced)
            return null;
        return store.State.Get(new ObjectKey(KindRules.Namespaces, "", write.Namespace)) is { } space ? Json.Object(space.Json) : null;
    }

    /// <summary>The response of a webhook that allows the write; null: it could not be asked, and that does not matter.</summary>
    private async Task<JsonObject?> AskAsync(
        Webhook webhook, ServedResource version, AdmissionAttributes write, List<string> warnings, CancellationToken cancellationToken)
    {
        if (write.DryRun && !webhook.AllowsDryRun)
            throw new StatusException(Status.BadRequest($"admission webhook {GoText.Quote(webhook.Name)} does not support dry run"));
        JsonObject response;
        try
        {
            var uid = Guid.NewGuid().ToString();
            var answer = await webhook.Client.AskAsync(write.Review(uid, version), webhook.Timeout, cancellationToken);
            response = answer["response"] as JsonObject ?? throw new HttpRequestException("webhook response was absent");
            if (response.TextAt("uid") != uid)
                throw new HttpRequestException($"expected response.uid={GoText.Quote(uid)}, got {GoText.Quote(response.TextAt("uid"))}");
            if (response["allowed"].AsBoolean() is null)
                throw new HttpRequestException("webhook response does not say whether it is allowed");
        }
        catch (HttpRequestException e)
        {
            AdmissionLog.NotAsked(logger, webhook.Name, e.Message);
            if (webhook.IgnoresFailure)
                return null;
            throw new StatusException(Status.Internal($"failed calling webhook {GoText.Quote(webhook.Name)}: failed to call webhook: {e.Message}"));
        }

        lock (warnings)
            warnings.AddRange(response["warnings"].Texts());
        return response["allowed"].AsBoolean() == true ? response : throw new StatusException(Denied(webhook.Name, response["status"]));
    }

    private static Status Denied(string name, JsonNode? status)
    {
        var by = $"admission webhook {GoText.Quote(name)} denied the request";
        var (message, reason) = (status.TextAt("message"), status.TextAt("reason"));
        var code = (int)Math.Clamp(status.At("code").AsInteger() ?? 0, 0, 599);
        return new Status(
            Math.Max(code, 400), reason, message.Length > 0 ? $"{by}: {message}" : reason.Length > 0 ? $"{by}: {reason}" : by + " without explanation", status.At("details")?.DeepClone() as JsonObject);
    }

    private static JsonObject Patched(Webhook webhook, ServedResource version, AdmissionAttributes write, string base64)
    {
        try
        {
            var patch = ObjectBody.ParseJson(Convert.FromBase64String(base64));
            var shown = write.Review("", version)["request"]!["object"];
            var patched = JsonPatch.Apply(shown, patch.Root) as JsonObject ?? throw new PatchException(422, "the patch leaves no object");
            return write.Back(version, patched);
        }
        catch (Exception e) when (e is PatchException or FormatException)
        {
            throw new StatusException(Status.Internal($"admission webhook {GoText.Quote(webhook.Name)} sent a patch that does not apply: {e.Message}"));
        }
    }
}
