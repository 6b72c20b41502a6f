using System.Text.Json;
using System.Text.Json.Nodes;
using Flotta.Kube;
using Flotta.Resources;
using Flotta.Resources.Validation;

namespace Flotta.Operator.Admission;

/// <summary>What is refused of one kind. The same rules stand behind the webhooks of a cluster and in the embedded API server.</summary>
public sealed record AdmissionRules(string Kind, string Plural, Func<string, IReadOnlyList<string>> Errors)
{
    public static IReadOnlyList<AdmissionRules> All { get; } =
    [
        Of<EdgeDevice>(EdgeDevice.KindName, EdgeDevice.Plural, EdgeDeviceValidation.Errors),
        Of<EdgeDeviceSet>(EdgeDeviceSet.KindName, EdgeDeviceSet.Plural, EdgeDeviceSetValidation.Errors),
        Of<EdgeWorkload>(EdgeWorkload.KindName, EdgeWorkload.Plural, EdgeWorkloadValidation.Errors),
        Of<EdgeConfig>(EdgeConfig.KindName, EdgeConfig.Plural, PlaybookValidation.Errors),
        Of<PlaybookExecution>(PlaybookExecution.KindName, PlaybookExecution.Plural, PlaybookValidation.Errors),
    ];

    /// <summary>The webhook's name and path are the original's.</summary>
    public string Name => $"{Kind.ToLowerInvariant()}.{Names.Group}";

    public string Path => $"/validate-management-project-flotta-io-{Names.Version}-{Kind.ToLowerInvariant()}";

    /// <summary>
    /// All that is wrong with what is to be written; nothing where the specification stays as it is. An object from before a rule can still be
    /// labelled, let go of by its finalizers, and deleted.
    /// </summary>
    public IReadOnlyList<string> Refusals(JsonObject? old, JsonObject wanted) =>
        wanted["metadata"] is JsonObject metadata && metadata.ContainsKey("deletionTimestamp") || (old is not null && JsonNode.DeepEquals(old["spec"], wanted["spec"])) ? [] : Errors(wanted.ToJsonString());

    private static AdmissionRules Of<T>(string kind, string plural, Func<T, IReadOnlyList<string>> errors)
        where T : class => new(kind, plural, json =>
        {
            try
            {
                return KubeJson.Deserialize<T>(json) is { } thing ? errors(thing) : ["there is no object"];
            }
            catch (JsonException unreadable)
            {
                return [$"it cannot be read: {unreadable.Message}"];
            }
        });
}
