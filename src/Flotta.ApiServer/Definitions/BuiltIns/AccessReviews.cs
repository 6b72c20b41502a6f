namespace Flotta.ApiServer.Definitions;

/// <summary>Questions about access. They can only be created, and nothing is kept of them: the answer is in the status.</summary>
internal static class AccessReviews
{
    public const string Authorization = "authorization.k8s.io";
    public const string Authentication = "authentication.k8s.io";

    private const string Asking = "io.k8s.api.authorization.v1.";
    private const string Knowing = "io.k8s.api.authentication.v1.";

    private static readonly (string, Schema)[] Subject =
    [
        ("extra", Extra()), ("groups", Models.Texts("The groups that the user is in.", "atomic")), ("uid", Models.Text("The user's uid.")), ("user", Models.Text("The user.")),
    ];

    private static readonly (string, Schema)[] Deed =
    [
        ("nonResourceAttributes", Models.Model(
            Asking + "NonResourceAttributes", "NonResourceAttributes is what is asked about a path.",
            ("path", Models.Text("The path of the request.")), ("verb", Models.Text("The HTTP verb, in lower case.")))),
        ("resourceAttributes", Models.Model(
            Asking + "ResourceAttributes", "ResourceAttributes is what is asked about resources.",
            ("group", Models.Text("The group of the resource; \"*\" means all.")), ("name", Models.Text("The object; empty means all.")),
            ("namespace", Models.Text("The namespace; empty: none, or all.")), ("resource", Models.Text("The resource; \"*\" means all.")),
            ("subresource", Models.Text("A part of the resource.")), ("verb", Models.Text("get, list, watch, create, update, patch, delete, …; \"*\" means all.")),
            ("version", Models.Text("The version of the resource; \"*\" means all.")))),
    ];

    private static readonly Schema Access = Models.Model(
        Asking + "SubjectAccessReviewStatus", "SubjectAccessReviewStatus says whether it is allowed.",
        ("allowed!", Models.Flag("True: it is allowed.")), ("denied", Models.Flag("True: it is forbidden, whatever else allows it.")),
        ("evaluationError", Models.Text("What went wrong when it was looked at.")), ("reason", Models.Text("Why it is allowed or not.")));

    private static readonly Schema UserInfo = Models.Model(
        Knowing + "UserInfo", "UserInfo says who somebody is.",
        ("extra", Extra()), ("groups", Models.Texts("The groups that the user is in.", "atomic")), ("uid", Models.Text("Unique in time.")), ("username", Models.Text("The user's name.")));

    public static ResourceDefinition TokenRequest { get; } = Define(
        Authentication, "TokenRequest", namespaced: true, Knowing,
        ("spec!", Models.Model(
            Knowing + "TokenRequestSpec", "TokenRequestSpec says what token is wanted.",
            ("audiences!", Models.Texts("For whom the token is.", "atomic")),
            ("boundObjectRef", Models.Model(
                Knowing + "BoundObjectReference", "BoundObjectReference names the object with which the token ends.",
                ("apiVersion", Models.Text("API version of the object.")), ("kind", Models.Text("Pod or Secret.")), ("name", Models.Text("Name of the object.")), ("uid", Models.Text("UID of the object.")))),
            ("expirationSeconds", Models.Int64("How long the token is wanted for.")))),
        ("status", Models.Model(
            Knowing + "TokenRequestStatus", "TokenRequestStatus has the token.",
            ("expirationTimestamp!", Models.Time("When the token ends.")), ("token!", Models.Text("The token.")))));

    public static IReadOnlyList<ResourceDefinition> Definitions { get; } =
    [
        Define(Authentication, "SelfSubjectReview", namespaced: false, Knowing, ("status", Models.Model(
            Knowing + "SelfSubjectReviewStatus", "SelfSubjectReviewStatus says who asked.", ("userInfo", UserInfo)))),
        Define(
            Authentication, "TokenReview", namespaced: false, Knowing,
            ("spec!", Models.Model(
                Knowing + "TokenReviewSpec", "TokenReviewSpec has the token that is asked about.",
                ("audiences", Models.Texts("For whom the token should be; none: for this server.", "atomic")), ("token", Models.Text("The token.")))),
            ("status", Models.Model(
                Knowing + "TokenReviewStatus", "TokenReviewStatus says whose the token is.",
                ("audiences", Models.Texts("Which of the audiences asked for the token is for.", "atomic")), ("authenticated", Models.Flag("True: the token is somebody's.")),
                ("error", Models.Text("What is wrong with the token.")), ("user", UserInfo)))),
        Define(Authorization, "LocalSubjectAccessReview", namespaced: true, Asking, ("spec!", Spec("SubjectAccessReviewSpec", Subject)), ("status", Access)),
        Define(Authorization, "SelfSubjectAccessReview", namespaced: false, Asking, ("spec!", Spec("SelfSubjectAccessReviewSpec", [])), ("status", Access)),
        Define(
            Authorization, "SelfSubjectRulesReview", namespaced: false, Asking,
            ("spec!", Models.Model(
                Asking + "SelfSubjectRulesReviewSpec", "SelfSubjectRulesReviewSpec says where.", ("namespace", Models.Text("The namespace that is asked about.")))),
            ("status", Models.Model(
                Asking + "SubjectRulesReviewStatus", "SubjectRulesReviewStatus lists what is allowed.",
                ("evaluationError", Models.Text("What went wrong when it was looked at.")), ("incomplete!", Models.Flag("True: there may be more.")),
                ("nonResourceRules!", Models.List(
                    Models.Model(
                        Asking + "NonResourceRule", "NonResourceRule is about paths.",
                        ("nonResourceURLs", Models.Texts("Paths.", "atomic")), ("verbs!", Models.Texts("What is allowed.", "atomic"))),
                    "About paths.")),
                ("resourceRules!", Models.List(
                    Models.Model(
                        Asking + "ResourceRule", "ResourceRule is about resources.",
                        ("apiGroups", Models.Texts("Groups.", "atomic")), ("resourceNames", Models.Texts("Names.", "atomic")), ("resources", Models.Texts("Resources.", "atomic")),
                        ("verbs!", Models.Texts("What is allowed.", "atomic"))),
                    "About resources."))))),
        Define(Authorization, "SubjectAccessReview", namespaced: false, Asking, ("spec!", Spec("SubjectAccessReviewSpec", Subject)), ("status", Access)),
    ];

    private static Schema Spec(string name, (string, Schema)[] more) => Models.Model(Asking + name, name + " says what is asked.", [.. Deed, .. more]);

    private static Schema Extra() => new()
    {
        Type = "object", AdditionalProperties = new Schema { Type = "array", Items = new Schema { Type = "string" } }, Description = "More about the user.",
    };

    private static ResourceDefinition Define(string group, string kind, bool namespaced, string prefix, params (string, Schema)[] properties) => ResourceDefinition.OfServer(group, kind, namespaced) with
    {
        Verbs = ["create"],
        Schema = new ObjectSchema(Models.Kind(prefix + kind, kind + " asks about access.", properties)),
    };
}
