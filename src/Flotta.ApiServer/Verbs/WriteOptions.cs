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
    public bool DryRun { get; init; }

    public FieldValidation Validation { get; init; }

    /// <summary>Who becomes the owner of the fields.</summary>
    public required string FieldManager { get; init; }

    /// <summary>The object comes from a server-side apply, which has said already who owns what.</summary>
    public bool Applied { get; set; }

    public List<string> Warnings { get; } = [];

    /// <exception cref="StatusException">A value that is not known.</exception>
    public static WriteOptions From(ObjectRequest request) => new()
    {
        DryRun = IsDryRun(request),
        Validation = request.Query("fieldValidation") switch
        {
            "" or "Warn" => FieldValidation.Warn,
            "Strict" => FieldValidation.Strict,
            "Ignore" => FieldValidation.Ignore,
            var other => throw new StatusException(new Status(
                422, "Invalid", $" \"\" is invalid: fieldValidation: Unsupported value: {Definitions.GoText.Quote(other)}: supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"")),
        },
        FieldManager = Patching.FieldManager.NameFor(request.Query("fieldManager"), request.Http.Request.Headers.UserAgent),
    };

    public static bool IsDryRun(ObjectRequest request) => request.Query("dryRun") switch
    {
        "" => false,
        "All" => true,
        var other => throw new StatusException(new Status(
            422, "Invalid", $" \"\" is invalid: dryRun: Unsupported value: {Definitions.GoText.Quote(other)}: supported values: \"All\"")),
    };
}
