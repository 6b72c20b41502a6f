using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.Verbs;

/// <summary>The answer to what did not work, in the real server's words.</summary>
internal sealed record Status(int Code, string Reason, string Message, JsonObject? Details = null)
{
    /// <summary>A continue token to go on with nevertheless.</summary>
    public string? ContinueAt { get; init; }

    public static Status NotServed { get; } = new(404, "NotFound", "the server could not find the requested resource", new JsonObject());

    public static Status Unauthorized { get; } = new(401, "Unauthorized", "Unauthorized");

    public static Status MethodNotAllowed { get; } =
        new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", new JsonObject());

    /// <summary>Custom kinds say which verb there is not.</summary>
    public static Status MethodNotSupported(ResourceDefinition definition, string verb) => definition.BuiltIn
        ? MethodNotAllowed
        : MethodNotAllowed with { Message = $"{verb} is not supported on resources of kind {GoText.Quote(definition.QualifiedPlural)}", Details = Of(definition, "") };

    /// <summary>The storage could not do it.</summary>
    public static Status Of(Storage.StorageException e) => e.Full ? new(507, "InsufficientStorage", e.Message) : Internal(e.Message);

    public static Status BadRequest(string message) => new(400, "BadRequest", message);

    public static Status NotFound(ResourceDefinition definition, string name) =>
        new(404, "NotFound", $"{definition.QualifiedPlural} {GoText.Quote(name)} not found", Of(definition, name));

    public static Status AlreadyExists(ResourceDefinition definition, string name) =>
        new(409, "AlreadyExists", $"{definition.QualifiedPlural} {GoText.Quote(name)} already exists", Of(definition, name));

    /// <summary>As often as names were made for it, they were taken.</summary>
    public static Status NoNameLeft(ResourceDefinition definition, string name)
    {
        var details = Of(definition, name);
        details["retryAfterSeconds"] = 1;
        return new Status(
            409, "AlreadyExists",
            $"{definition.QualifiedPlural} {GoText.Quote(name)} already exists, the server was not able to generate a unique name for the object", details);
    }

    public static Status Conflict(ResourceDefinition definition, string name, string why) =>
        new(409, "Conflict", $"Operation cannot be fulfilled on {definition.QualifiedPlural} {GoText.Quote(name)}: {why}", Of(definition, name));

    public static Status Modified(ResourceDefinition definition, string name) =>
        Conflict(definition, name, "the object has been modified; please apply your changes to the latest version and try again");

    public static Status Forbidden(ResourceDefinition definition, string name, string why, JsonObject? cause = null)
    {
        var details = Of(definition, name);
        if (cause is not null)
            details["causes"] = new JsonArray(cause);
        return new Status(403, "Forbidden", $"{definition.QualifiedPlural} {GoText.Quote(name)} is forbidden: {why}", details);
    }

    public static Status Invalid(ResourceDefinition definition, string name, IReadOnlyList<FieldError> errors)
    {
        var details = new JsonObject { ["name"] = name, ["group"] = definition.Group, ["kind"] = definition.Kind };
        if (name.Length == 0)
            details.Remove("name");
        if (definition.Group.Length == 0)
            details.Remove("group");
        details["causes"] = new JsonArray([.. errors.Select(error => error.ToCause())]);
        return new Status(422, "Invalid", FieldError.Summary(definition.Kind, definition.Group, name, errors), details);
    }

    /// <summary>The query (or the body of a delete) says how in a way that there is not.</summary>
    public static Status InvalidOptions(string kind, IReadOnlyList<FieldError> errors) => new(
        422, "Invalid", FieldError.Summary(kind, "meta.k8s.io", "", errors),
        new JsonObject { ["group"] = "meta.k8s.io", ["kind"] = kind, ["causes"] = new JsonArray([.. errors.Select(error => error.ToCause())]) });

    /// <summary>A version that no write has had yet: the client speaks of another server, or of an older state of this one.</summary>
    public static Status TooLargeVersion(long asked, long current) => new(504, "Timeout", $"Too large resource version: {asked}, current: {current}", new JsonObject
    {
        ["causes"] = new JsonArray(new JsonObject { ["reason"] = "ResourceVersionTooLarge", ["message"] = "Too large resource version" }),
        ["retryAfterSeconds"] = 1,
    });

    public static Status Expired(string message) => new(410, "Expired", message);

    public static Status TooLarge(long limit) => new(413, "RequestEntityTooLarge", $"Request entity too large: limit is {limit}");

    public static Status Internal(string message) =>
        new(500, "InternalError", $"Internal error occurred: {message}", new JsonObject { ["causes"] = new JsonArray(new JsonObject { ["message"] = message }) });

    public JsonObject ToJson()
    {
        var json = new JsonObject
        {
            ["kind"] = "Status", ["apiVersion"] = "v1", ["metadata"] = ContinueAt is null ? new JsonObject() : new JsonObject { ["continue"] = ContinueAt }, ["status"] = "Failure", ["message"] = Message,
        };
        if (Reason.Length > 0)
            json["reason"] = Reason;
        if (Details is not null)
            json["details"] = Details.DeepClone();
        json["code"] = Code;
        return json;
    }

    private static JsonObject Of(ResourceDefinition definition, string name)
    {
        var details = new JsonObject();
        if (name.Length > 0)
            details["name"] = name;
        if (definition.Group.Length > 0)
            details["group"] = definition.Group;
        details["kind"] = definition.Plural;
        return details;
    }
}

/// <summary>Ends a request with a Status. It may always happen and is no failure of the server's, so it is not logged.</summary>
internal sealed class StatusException(Status status) : Exception(status.Message)
{
    public Status Status { get; } = status;
}
