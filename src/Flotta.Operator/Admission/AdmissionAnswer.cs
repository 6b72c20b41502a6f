using System.Text.Json;
using System.Text.Json.Nodes;

namespace Flotta.Operator.Admission;

/// <summary>From a question of the API server (AdmissionReview v1) to the answer; pure.</summary>
internal static class AdmissionAnswer
{
    private const string ApiVersion = "admission.k8s.io/v1";

    /// <exception cref="FormatException">It is no question.</exception>
    public static JsonObject To(JsonNode? review, AdmissionRules rules)
    {
        if (review is not JsonObject { } question || Text(question, "apiVersion") != ApiVersion || question["request"] is not JsonObject request || Text(request, "uid") is not { } uid)
            throw new FormatException($"an AdmissionReview of {ApiVersion} with a request belongs here");
        var errors = request["object"] is JsonObject wanted ? rules.Refusals(request["oldObject"] as JsonObject, wanted) : [];
        var response = new JsonObject { ["uid"] = uid, ["allowed"] = errors.Count == 0 };
        if (errors.Count > 0) response["status"] = Refusal(errors);
        return new JsonObject { ["apiVersion"] = ApiVersion, ["kind"] = "AdmissionReview", ["response"] = response };
    }

    /// <summary>All of them in one answer: nobody likes to be refused for one thing at a time.</summary>
    private static JsonObject Refusal(IReadOnlyList<string> errors) => new()
    {
        ["status"] = "Failure",
        ["code"] = 422,
        ["reason"] = "Invalid",
        ["message"] = string.Join("; ", errors),
    };

    private static string? Text(JsonObject map, string name) => map[name] is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;
}
