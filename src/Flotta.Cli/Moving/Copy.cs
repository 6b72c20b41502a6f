using System.Net;
using System.Text.Json.Nodes;
using Flotta.Kube;

namespace Flotta.Cli.Moving;

/// <summary>Writes one object on the other side, in steps each of which can be the last one before a crash and is found again by the next run.</summary>
internal sealed class Copy(KubeApi to, Journal journal, TimeProvider time)
{
    private const int Attempts = 8;

    private static readonly Backoff Backoff = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(15));

    /// <summary>The object and its status. Owners and deletion come later, when all is there.</summary>
    /// <returns>Not <see cref="Act.Nothing"/>: somebody was there first.</returns>
    public async Task<Deed> WriteAsync(MovedKind kind, JsonObject document, Fingerprint here, Fingerprint? there, CancellationToken cancellationToken)
    {
        var key = Document.KeyOf(document);
        JsonObject? present = null;
        if (there is null)
        {
            try
            {
                present = await RetriedAsync(() => to.SendDocumentAsync(HttpMethod.Post, kind.Resource.Collection(key.Namespace), Document.AsNew(kind, document), cancellationToken), cancellationToken);
            }
            catch (KubeException taken) when (taken.IsAlreadyExists)
            {
                // Somebody else's, or ours: an answer may have been lost on the way.
                present = await ReadAsync(kind, key, cancellationToken);
                there = present is null ? null : Fingerprint.Of(kind, present);
                var deed = Deed.For(here, there, made: false);
                if (deed.Act is Act.Differs or Act.Create)
                    return deed with { Act = Act.Differs };
            }

            journal.Made(kind, key);
        }

        if (here.Status.Length == 0 || there is { Status.Length: > 0 })
            return new(Act.Nothing);
        present ??= await ReadAsync(kind, key, cancellationToken);
        if (present is null)
            return new(Act.Gone, "was deleted there meanwhile");
        present["status"] = Document.StatusFor(document, Document.Generation(present));
        try
        {
            await RetriedAsync(() => to.SendDocumentAsync(HttpMethod.Put, kind.Resource.One(key) + "/status", present, cancellationToken), cancellationToken);
        }
        catch (KubeException changed) when (changed.IsConflict || changed.IsNotFound)
        {
            // What was lost may have been only the answer: then it is as it should be.
            if (await ReadAsync(kind, key, cancellationToken) is not { } now || Fingerprint.Of(kind, now).Status != here.Status)
                return new(Act.Differs, "was changed there meanwhile");
        }

        return new(Act.Nothing);
    }

    public Task OwnAsync(MovedKind kind, ObjectKey key, IEnumerable<(Owner Owner, string Uid)> owners, CancellationToken cancellationToken) => RetriedAsync(
        () => to.SendDocumentAsync(
            HttpMethod.Patch,
            kind.Resource.One(key),
            new JsonObject { ["metadata"] = new JsonObject { ["ownerReferences"] = new JsonArray([.. owners.Select(one => (JsonNode)Reference(one.Owner, one.Uid))]) } },
            cancellationToken,
            "application/merge-patch+json"),
        cancellationToken);

    public async Task DeleteAsync(MovedKind kind, ObjectKey key, CancellationToken cancellationToken)
    {
        try
        {
            await RetriedAsync(() => to.SendDocumentAsync(HttpMethod.Delete, kind.Resource.One(key), null, cancellationToken), cancellationToken);
        }
        catch (KubeException gone) when (gone.IsNotFound)
        {
            // as it should be in the end
        }
    }

    private Task<JsonObject?> ReadAsync(MovedKind kind, ObjectKey key, CancellationToken cancellationToken) => RetriedAsync(() => to.DocumentAsync(kind.Resource, key, cancellationToken), cancellationToken);

    private async Task<T> RetriedAsync<T>(Func<Task<T>> send, CancellationToken cancellationToken)
    {
        for (var failures = 0; ; failures++)
        {
            try
            {
                return await send();
            }
            catch (Exception passing) when (failures < Attempts && !cancellationToken.IsCancellationRequested && MayPass(passing))
            {
                var wait = (passing as KubeException)?.RetryAfter is { } asked && asked > Backoff.After(failures) ? asked : Backoff.After(failures);
                await Task.Delay(wait, time, cancellationToken);
            }
        }
    }

    private static bool MayPass(Exception failure) => failure is HttpRequestException or IOException or TimeoutException
        || (failure is KubeException answer && (answer.StatusCode == HttpStatusCode.TooManyRequests || ((int)answer.StatusCode >= 500 && answer.StatusCode != HttpStatusCode.InsufficientStorage)));

    private static JsonObject Reference(Owner owner, string uid)
    {
        var reference = new JsonObject { ["apiVersion"] = owner.ApiVersion, ["kind"] = owner.Kind, ["name"] = owner.Name, ["uid"] = uid };
        if (owner.Controller)
            reference["controller"] = true;
        if (owner.BlocksDeletion)
            reference["blockOwnerDeletion"] = true;
        return reference;
    }
}
