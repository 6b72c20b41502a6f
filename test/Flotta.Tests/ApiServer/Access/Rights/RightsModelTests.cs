using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Flotta.ApiServer.Access.Rights;
using Flotta.ApiServer.Storage;

namespace Flotta.Tests.ApiServer.Access.Rights;

/// <summary>The compiled rights say what reading all roles and bindings for each question, word for word, would say.</summary>
public sealed class RightsModelTests
{
    private static readonly Gen<string[]> Verbs = Some("get", "list", "*");
    private static readonly Gen<string[]> Groups = Some("", "apps", "*");
    private static readonly Gen<string[]> Resources = Some("pods", "pods/log", "*/log", "jobs", "*");
    private static readonly Gen<string[]> Names = Gen.Frequency((3, Gen.Const(Array.Empty<string>())), (1, Some("a", "b")));

    private static readonly Gen<PolicyRule> Rule = Gen.Frequency(
        (4, Gen.Select(Verbs, Groups, Resources, Names, (verbs, groups, resources, names) => new PolicyRule(verbs, groups, resources, names, []))),
        (1, Gen.Select(Verbs, Some("/a", "/a/*", "*", "/b"), (verbs, urls) => new PolicyRule(verbs, [], [], [], urls))));

    private static readonly Gen<(string Kind, string Namespace, string Name)> RoleRef = Gen.Select(
        Gen.OneOf("Role", "ClusterRole"), Gen.OneOf("n1", "n2"), Gen.OneOf("r1", "r2", "r3"));

    private static readonly Gen<RoleSubject> Subject = Gen.Select(
        Gen.OneOf("User", "Group", "ServiceAccount"), Gen.OneOf("", "n1"), Gen.OneOf("u1", "u2", "g1", "system:serviceaccount:n1:u1"), (kind, within, name) => new RoleSubject(kind, within, name));

    private static readonly Gen<World> Worlds = Gen.Select(
        Gen.Dictionary(RoleRef.Select(one => one.Kind == "ClusterRole" ? one with { Namespace = "" } : one), Rule.List[0, 3])[0, 5],
        Gen.Select(Gen.OneOf("", "n1", "n2"), RoleRef, Subject.List[0, 3], (within, role, subjects) =>
            new RoleGrant("", within, within.Length == 0 ? "ClusterRole" : role.Kind, role.Name, subjects)).List[0, 5],
        (roles, grants) => new World(roles.ToDictionary(one => one.Key, one => one.Value), [.. grants.Select((one, i) => one with { Name = "b" + i })]));

    private static readonly Gen<AccessQuestion> Question = Gen.Frequency(
        (4, Gen.Select(
            Gen.OneOf("get", "list", "watch"), Gen.OneOf("", "apps"), Gen.OneOf("pods", "jobs"), Gen.OneOf("", "log"), Gen.OneOf("", "n1", "n2"), Gen.OneOf("", "a", "c"),
            (verb, group, resource, part, within, name) => new AccessQuestion(verb, group, "v1", resource, part, within, name))),
        (1, Gen.Select(Gen.OneOf("get", "post"), Gen.OneOf("/a", "/a/b", "/b", "/c"), AccessQuestion.OfPath)));

    private static readonly Gen<(string User, string[] Groups)> Somebody = Gen.Select(Gen.OneOf("u1", "u2", "system:serviceaccount:n1:u1", "nobody"), Some("g1", "g2"));

    [Fact]
    public void Compiled_rights_answer_as_the_roles_do_when_they_are_read_one_by_one() =>
        Gen.Select(Worlds, Somebody, Question.Array[20]).Sample((world, who, questions) =>
        {
            var rights = new RightsOfSubject(AccessPolicy.From(world.State(), null), who.User, who.Groups);
            return questions.All(asked => rights.Check(asked).Allowed == world.Allows(who.User, who.Groups, asked));
        });

    [Fact]
    public void A_policy_that_follows_another_is_as_one_that_is_made_anew() =>
        Gen.Select(Worlds, Worlds, Somebody, Question.Array[20]).Sample((before, after, who, questions) =>
        {
            var first = AccessPolicy.From(before.State(), null);
            // What is the same object in the store is taken over from the policy before.
            var state = after.State(before.State());
            var rights = new RightsOfSubject(AccessPolicy.From(state, first), who.User, who.Groups);
            return questions.All(asked => rights.Check(asked).Allowed == after.Allows(who.User, who.Groups, asked));
        });

    [Fact]
    public void Rules_that_are_covered_allow_nothing_that_the_others_do_not() =>
        Gen.Select(Rule.List[0, 4], Rule.List[0, 3], Question.Array[30]).Sample((held, given, questions) =>
            RuleCover.Uncovered(held, given).Count > 0
            || questions.All(asked => !given.Exists(rule => rule.Allows(asked)) || held.Exists(rule => rule.Allows(asked))));

    private static Gen<string[]> Some(params string[] words) => Gen.OneOf(words).Array[1, 2].Select(some => some.Distinct().ToArray());

    private sealed record World(Dictionary<(string Kind, string Namespace, string Name), List<PolicyRule>> Roles, RoleGrant[] Grants)
    {
        public bool Allows(string user, string[] groups, AccessQuestion asked) => Grants.Any(grant =>
            (grant.Namespace.Length == 0 || (asked.IsResource && grant.Namespace == asked.Namespace))
            && grant.Subjects.Any(subject => Means(subject, grant.Namespace, user, groups))
            && Roles.TryGetValue((grant.RoleKind, grant.RoleKind == "Role" ? grant.Namespace : "", grant.RoleName), out var rules)
            && rules.Exists(rule => Allows(rule, asked)));

        public StoreState State(StoreState? sharing = null) => StoreState.From(1, Roles.Select(role => Stored(
                role.Key.Kind == "Role" ? AccessPolicy.Roles : AccessPolicy.ClusterRoles, role.Key.Namespace, role.Key.Name,
                new JsonObject { ["rules"] = new JsonArray([.. role.Value.Select(rule => (JsonNode)rule.ToJson())]) }))
            .Concat(Grants.Select(grant => Stored(
                grant.Namespace.Length > 0 ? AccessPolicy.RoleBindings : AccessPolicy.ClusterRoleBindings, grant.Namespace, grant.Name,
                new JsonObject
                {
                    ["roleRef"] = new JsonObject { ["kind"] = grant.RoleKind, ["name"] = grant.RoleName },
                    ["subjects"] = new JsonArray([.. grant.Subjects.Select(subject => (JsonNode)new JsonObject { ["kind"] = subject.Kind, ["namespace"] = subject.Namespace, ["name"] = subject.Name })]),
                })))
            .Select(one => sharing?.Get(one.Key) is { } same && same.Json.AsSpan().SequenceEqual(one.Json) ? same : one));

        private static StoredObject Stored(string resource, string within, string name, JsonObject value)
        {
            value["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = within };
            return new StoredObject(new ObjectKey(resource, within, name), 1, Encoding.UTF8.GetBytes(value.ToJsonString()), 0);
        }

        private static bool Means(RoleSubject subject, string bindingNamespace, string user, string[] groups) => subject.Kind switch
        {
            "User" => user == subject.Name,
            "Group" => groups.Contains(subject.Name),
            _ => (subject.Namespace + bindingNamespace).Length > 0 && user == $"system:serviceaccount:{(subject.Namespace.Length > 0 ? subject.Namespace : bindingNamespace)}:{subject.Name}",
        };

        private static bool Allows(PolicyRule rule, AccessQuestion asked)
        {
            if (!rule.Verbs.Intersect(["*", asked.Verb]).Any())
                return false;
            if (!asked.IsResource)
                return rule.Urls.Any(url => url == asked.Path || (url.EndsWith('*') && asked.Path!.StartsWith(url[..^1], StringComparison.Ordinal)));
            string[] resources = asked.Subresource.Length == 0 ? ["*", asked.Resource] : ["*", $"{asked.Resource}/{asked.Subresource}", "*/" + asked.Subresource];
            return rule.Groups.Intersect(["*", asked.Group]).Any() && rule.Resources.Intersect(resources).Any() && (rule.Names.Count == 0 || rule.Names.Contains(asked.Name));
        }
    }
}
