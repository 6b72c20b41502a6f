using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;

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
    /// <summary>Who asks for it; null: the server itself, whom no webhook is asked about.</summary>
    public Access.Caller? Caller { get; init; }

    public List<string> Warnings { get; } = [];

    private const string PolicyField = "propagationPolicy";

    private static readonly ResourceDefinition Definition = new()
    {
        Group = "meta.k8s.io",
        Version = "v1",
        Plural = "deleteoptions",
        Singular = "deleteoptions",
        Kind = nameof(DeleteOptions),
        ListKind = "",
        Namespaced = false,
        BuiltIn = true,
        Schema = new ObjectSchema(Models.Model(
            "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
            "DeleteOptions says how a delete is done.",
            ("apiVersion", Models.ApiVersion),
            ("kind", Models.KindName),
            ("dryRun", Models.Texts("All: nothing is deleted.")),
            ("gracePeriodSeconds", Models.Int64("Seconds until it goes.")),
            ("orphanDependents", Models.Flag("The older way to say Orphan.")),
            ("preconditions", Models.Model(
                "io.k8s.apimachinery.pkg.apis.meta.v1.Preconditions",
                "Preconditions must hold, or nothing is done.",
                ("resourceVersion", Models.Text("The version that it must be in.")),
                ("uid", Models.Text("The one that it must be.")))),
            (PolicyField, Models.Text("Orphan, Background or Foreground.")))),
    };

    public static DeleteOptions None { get; } = new(false, null, null, null);

    /// <summary>From the body, which is optional, and the query.</summary>
    public static async Task<DeleteOptions> FromAsync(ObjectRequest request)
    {
        var body = new JsonObject();
        if (await RequestBody.IsThereAsync(request.Http))
        {
            (body, _) = await RequestBody.ObjectAsync(request.Http);
            if (body["kind"].AsText() is { Length: > 0 } kind && kind != Definition.Kind)
                throw new StatusException(Status.BadRequest($"no kind {GoText.Quote(kind)} is accepted here: a delete takes DeleteOptions"));
            if (Decoding.Problem(Definition, body) is { } problem)
                throw new StatusException(Status.BadRequest(problem));
        }

        return From(request, body);
    }

    private static DeleteOptions From(ObjectRequest request, JsonObject body)
    {
        var errors = new List<FieldError>();
        var dryRun = (IReadOnlyList<string>)[.. body["dryRun"].Texts(), .. request.All("dryRun")];
        WriteOptions.CheckDryRun(dryRun, errors);
        var policy = body[PolicyField].AsText() ?? request.Query(PolicyField);
        var orphans = body["orphanDependents"].AsBoolean() ?? (request.Has("orphanDependents") ? request.Flag("orphanDependents") : null);
        if (policy.Length > 0 && orphans is not null)
            errors.Add(FieldError.Invalid(PolicyField, policy, "orphanDependents and deletionPropagation cannot be both set"));
        else if (policy is not ("" or "Foreground" or "Background" or "Orphan"))
            errors.Add(FieldError.NotSupported(PolicyField, policy, ["Foreground", "Background", "Orphan", "nil"]));
        if (errors.Count > 0)
            throw new StatusException(Status.InvalidOptions(Definition.Kind, errors));
        return new DeleteOptions(
            dryRun.Count > 0,
            policy switch
            {
                "Background" => Propagation.Background,
                "Foreground" => Propagation.Foreground,
                "Orphan" => Propagation.Orphan,
                _ when orphans is { } orphan => orphan ? Propagation.Orphan : Propagation.Background,
                _ => null,
            },
            body["preconditions"].At("uid").AsText(),
            body["preconditions"].At("resourceVersion").AsText()) { Caller = request.Access.Caller };
    }
}
