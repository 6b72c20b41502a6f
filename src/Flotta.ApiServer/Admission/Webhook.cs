using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;
using Flotta.ApiServer.Discovery;
using Flotta.ApiServer.Selection;

namespace Flotta.ApiServer.Admission;

/// <summary>One webhook of a configuration, read once, with its connections.</summary>
internal sealed class Webhook : IDisposable
{
    private readonly IReadOnlyList<JsonObject> rules;
    private readonly LabelSelector namespaces;
    private readonly LabelSelector objects;
    private readonly bool exact;

    public Webhook(JsonObject webhook)
    {
        Name = webhook.TextAt("name");
        IgnoresFailure = webhook.TextAt("failurePolicy") == "Ignore";
        Timeout = TimeSpan.FromSeconds(Math.Clamp(webhook["timeoutSeconds"].AsInteger() ?? 10, 1, 30));
        AllowsDryRun = webhook.TextAt("sideEffects") is "None" or "NoneOnDryRun";
        rules = [.. webhook["rules"].Objects()];
        exact = webhook.TextAt("matchPolicy") == "Exact";
        namespaces = LabelSelector.From(webhook["namespaceSelector"]);
        objects = LabelSelector.From(webhook["objectSelector"]);
        Client = new WebhookClient(webhook["clientConfig"]);
    }

    public string Name { get; }

    public bool IgnoresFailure { get; }

    public bool AllowsDryRun { get; }

    public TimeSpan Timeout { get; }

    public WebhookClient Client { get; }

    /// <summary>The version of the resource that it wants to be asked about; null: it does not want to be asked.</summary>
    /// <param name="write">What is to be written.</param>
    /// <param name="versions">All served versions of that resource.</param>
    /// <param name="space">The labels of the namespace; null when it is in none.</param>
    public ServedResource? Wants(AdmissionAttributes write, IEnumerable<ServedResource> versions, JsonObject? space)
    {
        if (space is not null && !namespaces.Matches(space))
            return null;
        if (!(write.Object is { } now && objects.Matches(now)) && !(write.Old is { } old && objects.Matches(old)))
            return null;
        if (rules.Any(rule => Means(rule, write, write.Definition)))
            return write.Served;
        return exact ? null : versions.FirstOrDefault(version => rules.Any(rule => Means(rule, write, version.Definition)));
    }

    public void Dispose() => Client.Dispose();

    private static bool Means(JsonObject rule, AdmissionAttributes write, ResourceDefinition definition) =>
        Has(rule["operations"], write.Operation)
        && Has(rule["apiGroups"], definition.Group)
        && Has(rule["apiVersions"], definition.Version)
        && rule.TextAt("scope") is var scope && (scope is "" or "*" || scope == (definition.Namespaced ? "Namespaced" : "Cluster"))
        && rule["resources"].Texts().Any(resource => Means(resource, definition.Plural, write.Subresource));

    private static bool Means(string wanted, string resource, string subresource)
    {
        var slash = wanted.IndexOf('/', StringComparison.Ordinal);
        var (first, second) = slash < 0 ? (wanted, "") : (wanted[..slash], wanted[(slash + 1)..]);
        return (first == "*" || first == resource) && (second == "*" || second == subresource);
    }

    private static bool Has(JsonNode? list, string value) => list.Texts().Any(one => one == "*" || one == value);
}
