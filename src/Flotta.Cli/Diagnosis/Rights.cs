using System.Text.Json.Nodes;
using Flotta.Kube;
using Flotta.Resources;
using YamlDotNet.RepresentationModel;

namespace Flotta.Cli.Diagnosis;

/// <summary>Something that an account must be allowed to do.</summary>
/// <param name="Name">Of the only object that it is about; empty for all of the resource.</param>
internal sealed record Right(string Account, string Namespace, string Verb, string Group, string Resource, string Name = "")
{
    public string What => $"{Verb} {Resource}{(Group.Length > 0 ? "." + Group : "")}{(Name.Length > 0 ? "/" + Name : "")}{(Namespace.Length > 0 ? " in " + Namespace : "")}";
}

/// <summary>Whether the accounts of Operator and Edge API may do what the roles of deploy/kubernetes say, whichever way they were given the right.</summary>
internal static class Rights
{
    private const string Check = "rights";

    private static readonly KubeResource Accounts = new("v1", "ServiceAccount", "serviceaccounts", true);

    /// <summary>From the manifests themselves, so that a new rule is asked about too.</summary>
    public static IReadOnlyList<Right> Needed { get; } = [.. Read().Distinct()];

    public static async Task<IReadOnlyList<Finding>> FindAsync(KubeApi api, CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        foreach (var account in (string[])[AccessManifests.OperatorAccount, AccessManifests.EdgeApiAccount])
        {
            if (await api.DocumentAsync(Accounts, new(AccessManifests.Namespace, account), cancellationToken) is null)
                findings.Add(Finding.Error(Check, $"the service account {AccessManifests.Namespace}/{account} is missing", "kubectl apply -k deploy/kubernetes"));
        }

        var missing = new List<Right>();
        await Parallel.ForEachAsync(Needed, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = cancellationToken }, async (right, stop) =>
        {
            if (!await IsAllowedAsync(api, right, stop))
            {
                lock (missing)
                    missing.Add(right);
            }
        });
        findings.AddRange(Missing(missing));
        return findings.Count > 0 ? findings : [Finding.Ok(Check, $"Operator and Edge API may do all {Needed.Count} things that they need")];
    }

    /// <summary>One finding for each account.</summary>
    public static IEnumerable<Finding> Missing(IEnumerable<Right> missing) => missing
        .GroupBy(right => right.Account, StringComparer.Ordinal)
        .Select(some => Finding.Error(
            Check, $"the account {some.Key} may not {string.Join(", ", some.Select(right => right.What).Order(StringComparer.Ordinal))}",
            $"kubectl apply -f deploy/kubernetes/{(some.Key == AccessManifests.OperatorAccount ? "operator" : "edge-api")}/role.yaml"));

    private static async Task<bool> IsAllowedAsync(KubeApi api, Right right, CancellationToken cancellationToken)
    {
        var resource = right.Resource.Split('/');
        var user = $"system:serviceaccount:{AccessManifests.Namespace}:{right.Account}";
        var review = new JsonObject
        {
            ["apiVersion"] = "authorization.k8s.io/v1", ["kind"] = "SubjectAccessReview",
            ["spec"] = new JsonObject
            {
                ["user"] = user,
                ["groups"] = new JsonArray("system:serviceaccounts", "system:serviceaccounts:" + AccessManifests.Namespace, "system:authenticated"),
                ["resourceAttributes"] = new JsonObject
                {
                    ["namespace"] = right.Namespace, ["verb"] = right.Verb, ["group"] = right.Group, ["resource"] = resource[0], ["name"] = right.Name, ["subresource"] = resource.Length > 1 ? resource[1] : "",
                },
            },
        };
        var answer = await api.SendDocumentAsync(HttpMethod.Post, "apis/authorization.k8s.io/v1/subjectaccessreviews", review, cancellationToken);
        return answer["status"]?["allowed"] is JsonValue allowed && allowed.TryGetValue<bool>(out var yes) && yes;
    }

    private static IEnumerable<Right> Read()
    {
        var all = AccessManifests.All.Select(manifest => (manifest.Kind, manifest.Namespace, manifest.Name, Root: Root(manifest.Yaml))).ToList();
        foreach (var binding in all.Where(one => one.Kind is "RoleBinding" or "ClusterRoleBinding"))
        {
            var reference = binding.Root["roleRef"];
            var role = all.First(one => one.Kind == reference["kind"].ToString() && one.Name == reference["name"].ToString() && (one.Kind == "ClusterRole" || one.Namespace == binding.Namespace));
            // What people are given is theirs to have or not.
            foreach (var account in ((YamlSequenceNode)binding.Root["subjects"]).Select(subject => subject["name"].ToString()).Intersect([AccessManifests.OperatorAccount, AccessManifests.EdgeApiAccount], StringComparer.Ordinal))
            {
                foreach (var rule in (YamlSequenceNode)role.Root["rules"])
                {
                    foreach (var (group, resource, verb, name) in Things(rule))
                        yield return new(account, binding.Namespace, verb, group, resource, name);
                }
            }
        }
    }

    private static IEnumerable<(string Group, string Resource, string Verb, string Name)> Things(YamlNode rule) =>
        from @group in (YamlSequenceNode)rule["apiGroups"]
        from resource in (YamlSequenceNode)rule["resources"]
        from verb in (YamlSequenceNode)rule["verbs"]
        from name in ((YamlMappingNode)rule).Children.TryGetValue("resourceNames", out var names) ? ((YamlSequenceNode)names).Select(one => one.ToString()) : [""]
        select (@group.ToString(), resource.ToString(), verb.ToString(), name);

    private static YamlMappingNode Root(string text)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(text));
        return (YamlMappingNode)yaml.Documents[0].RootNode;
    }
}
