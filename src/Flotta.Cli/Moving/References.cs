using System.Text.Json.Nodes;

namespace Flotta.Cli.Moving;

/// <summary>Which Secrets and ConfigMaps an object of ours names, wherever in it: found by the names of the fields, so that a field that comes later is found too.</summary>
internal static class References
{
    public static IEnumerable<(MovedKind Kind, string Name)> In(JsonObject document)
    {
        if (Document.Text(document["status"]?["dataObc"]) is { Length: > 0 } claim)
            return Under(document["spec"]).Append((MovedKind.Secrets, claim)).Append((MovedKind.ConfigMaps, claim));
        return Under(document["spec"]);
    }

    private static IEnumerable<(MovedKind Kind, string Name)> Under(JsonNode? node) => node switch
    {
        JsonObject members => members.SelectMany(member => Direct(member.Key, member.Value).Concat(Under(member.Value))),
        JsonArray items => items.SelectMany(Under),
        _ => [],
    };

    private static IEnumerable<(MovedKind Kind, string Name)> Direct(string field, JsonNode? value)
    {
        var found = field switch
        {
            "secretName" or "caSecretName" => [(MovedKind.Secrets, Document.Text(value))],
            "configMapName" => [(MovedKind.ConfigMaps, Document.Text(value))],
            "secretRef" or "secretKeyRef" or "secret" => [(MovedKind.Secrets, NameIn(value))],
            "configMapRef" or "configMapKeyRef" or "configMap" or "allowList" or "syslogConfig" => [(MovedKind.ConfigMaps, NameIn(value))],
            "imagePullSecrets" => Document.Objects(value).Select(one => (MovedKind.Secrets, Document.Text(one["name"]))),
            _ => Enumerable.Empty<(MovedKind, string)>(),
        };
        return found.Where(one => one.Item2.Length > 0);
    }

    private static string NameIn(JsonNode? value) => value is JsonObject members ? Document.Text(members["name"]) : "";
}
