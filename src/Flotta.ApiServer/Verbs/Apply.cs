using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Patching;

namespace Flotta.ApiServer.Verbs;

/// <summary>Server-side apply: a patch that says all that one manager wants of an object, and makes the object when it is not there.</summary>
internal sealed class Apply(ObjectChanges changes, TimeProvider time)
{
    public const string MediaType = "application/apply-patch+yaml";

    // As often as the real server tries a patch whose object changes under it.
    private const int Attempts = 5;

    public async Task<Changed> RunAsync(ObjectRequest request, ObjectBody body, WriteOptions options)
    {
        if (request.Query("fieldManager").Length == 0)
            throw new StatusException(Status.InvalidOptions("PatchOptions", [FieldError.Required("fieldManager", "is required for apply patch")]));
        if (body.Root is not JsonObject applied)
            throw new StatusException(Status.BadRequest("the body of an apply patch must be an object"));
        if (body.Duplicates.Count > 0 && options.Validation == FieldValidation.Strict)
            throw new StatusException(Status.BadRequest(Decoding.StrictMessage(request.Served.Definition, body.Duplicates)));
        options.Applied = true;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await changes.UpdateAsync(
                    request.Served, request.Key, request.Subresource, present => Merged(request, present, applied, body, options), conditional: false, options, request.Aborted);
            }
            catch (StatusException e) when (e.Status.Code == 404 && request.Subresource.Length == 0)
            {
                // It is to be made.
            }

            request.Access.Require("create");
            try
            {
                return await changes.CreateAsync(request.Served, request.Namespace, New(request, applied, body, options), body.Duplicates, options, request.Aborted);
            }
            catch (StatusException e) when (e.Status.Reason == "AlreadyExists" && attempt < Attempts)
            {
                // Another manager has made it meanwhile: what this one says is merged into that.
            }
        }
    }

    private JsonObject New(ObjectRequest request, JsonObject applied, ObjectBody body, WriteOptions options)
    {
        var made = Merged(request, null, applied, body, options);
        return made["metadata"].TextAt("uid") is { Length: > 0 } uid
            ? throw new StatusException(Status.Conflict(
                request.Served.Definition, request.Name, $"uid mismatch: the provided object specified uid {uid}, and no existing object was found"))
            : made;
    }

    private JsonObject Merged(ObjectRequest request, JsonObject? present, JsonObject applied, ObjectBody body, WriteOptions options)
    {
        var definition = request.Served.Definition;
        try
        {
            // What is applied must be of this kind and name before it is merged into what is.
            var document = (JsonObject)applied.DeepClone();
            if (Decoding.Problem(definition, document) is { } problem)
                throw new StatusException(Status.BadRequest(problem));
            var name = document["metadata"].TextAt("name");
            if (name.Length > 0 && name != request.Name)
                throw new StatusException(Status.BadRequest($"the name of the object ({name}) does not match the name on the URL ({request.Name})"));
            if (document["metadata"] is not JsonObject)
                document["metadata"] = new JsonObject();
            document["metadata"]!["name"] = request.Name;
            var merged = FieldOwnership.Apply(
                definition, present, document, new FieldManager(request.Query("fieldManager"), request.Subresource, time.GetUtcNow()), request.Flag("force"));
            options.Warnings.Clear();
            Incoming.Accept(request.Served, merged, body.Duplicates, options);
            return merged;
        }
        catch (ApplyConflictException e)
        {
            throw new StatusException(new Status(
                409, "Conflict", e.Message, new JsonObject { ["causes"] = new JsonArray([.. e.Causes.Select(cause => (JsonNode)cause.DeepClone())]) }));
        }
        catch (PatchException e)
        {
            throw new StatusException(Status.BadRequest(e.Message));
        }
    }
}
