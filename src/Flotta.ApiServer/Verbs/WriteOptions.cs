using System.Text;
using Flotta.ApiServer.Definitions;
using Microsoft.AspNetCore.Http;

namespace Flotta.ApiServer.Verbs;

internal enum FieldValidation
{
    Warn,
    Strict,
    Ignore,
}

/// <summary>How a create, update or patch is to be done; collects the warnings of the answer.</summary>
internal sealed class WriteOptions
{
    private const int LongestManager = 128;

    public bool DryRun { get; init; }

    public FieldValidation Validation { get; init; }

    /// <summary>Who asks for it; null: the server itself, whom no webhook is asked about.</summary>
    public Access.Caller? Caller { get; init; }

    /// <summary>Who becomes the owner of the fields.</summary>
    public required string FieldManager { get; init; }

    /// <summary>The object comes from a server-side apply, which has said already who owns what.</summary>
    public bool Applied { get; set; }

    /// <summary>Asked of the new state and the old one (null: none) before they are written; throws when the caller may not do this.</summary>
    public Action<System.Text.Json.Nodes.JsonObject, System.Text.Json.Nodes.JsonObject?>? Permit { get; init; }

    public List<string> Warnings { get; } = [];

    /// <exception cref="StatusException">A value that is not known.</exception>
    public static WriteOptions From(ObjectRequest request)
    {
        var errors = new List<FieldError>();
        var dryRun = request.All("dryRun");
        CheckDryRun(dryRun, errors);
        CheckManager(request.Query("fieldManager"), errors);
        var validation = request.Query("fieldValidation");
        if (validation is not ("" or "Warn" or "Strict" or "Ignore"))
            errors.Add(FieldError.NotSupported("fieldValidation", validation, ["", "Ignore", "Strict", "Warn"]));
        var method = request.Http.Request.Method;
        if (HttpMethods.IsPatch(method) && request.Has("force") && RequestBody.MediaType(request.Http) != Apply.MediaType)
            errors.Add(FieldError.Forbidden("force", "may not be specified for non-apply patch"));
        if (errors.Count > 0)
            throw new StatusException(Status.InvalidOptions(HttpMethods.IsPost(method) ? "CreateOptions" : HttpMethods.IsPut(method) ? "UpdateOptions" : "PatchOptions", errors));
        return new()
        {
            DryRun = dryRun.Count > 0,
            Permit = request.Access.WriteCheck(request.Served),
            Caller = request.Access.Caller,
            Validation = validation switch
            {
                "Strict" => FieldValidation.Strict,
                "Ignore" => FieldValidation.Ignore,
                _ => FieldValidation.Warn,
            },
            FieldManager = Patching.FieldManager.NameFor(request.Query("fieldManager"), request.Http.Request.Headers.UserAgent),
        };
    }

    public static void CheckDryRun(IReadOnlyList<string> values, List<FieldError> errors)
    {
        if (values.Any(value => value != "All"))
            errors.Add(new FieldError("dryRun", "FieldValueNotSupported", $"Unsupported value: []string{{{string.Join(", ", values.Select(GoText.Quote))}}}: supported values: \"All\""));
    }

    private static void CheckManager(string manager, List<FieldError> errors)
    {
        if (Encoding.UTF8.GetByteCount(manager) > LongestManager)
            errors.Add(FieldError.TooLong("fieldManager", LongestManager));
        var at = manager.AsSpan().IndexOfAnyInRange('\0', '\u001f');
        if (at >= 0)
            errors.Add(FieldError.Invalid("fieldManager", manager, $"invalid character U+{(int)manager[at]:X4} (at position {at})"));
    }
}
