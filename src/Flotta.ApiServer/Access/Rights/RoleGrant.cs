using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.Access.Rights;

/// <summary>A RoleBinding (in a namespace) or ClusterRoleBinding (Namespace is empty): who gets which role.</summary>
internal sealed record RoleGrant(string Name, string Namespace, string RoleKind, string RoleName, IReadOnlyList<RoleSubject> Subjects)
{
    public static RoleGrant From(JsonObject binding)
    {
        var within = binding["metadata"].TextAt("namespace");
        return new RoleGrant(
            binding["metadata"].TextAt("name"), within, binding["roleRef"].TextAt("kind"), binding["roleRef"].TextAt("name"),
            [.. binding["subjects"].Objects().Select(RoleSubject.From)]);
    }

    /// <summary>Why somebody may: `RoleBinding "readers/shop" of Role "reader" to User "alice"`.</summary>
    public string Describe(RoleSubject subject) => Namespace.Length == 0
        ? $"ClusterRoleBinding {GoText.Quote(Name)} of {RoleKind} {GoText.Quote(RoleName)} to {subject.Describe(Namespace)}"
        : $"RoleBinding {GoText.Quote($"{Name}/{Namespace}")} of {RoleKind} {GoText.Quote(RoleName)} to {subject.Describe(Namespace)}";
}

/// <summary>Of a binding. A service account without a namespace is one of the binding's.</summary>
internal sealed record RoleSubject(string Kind, string Namespace, string Name)
{
    public const string User = "User";
    public const string Group = "Group";
    public const string ServiceAccount = "ServiceAccount";

    public static RoleSubject From(JsonObject subject) => new(subject.TextAt("kind"), subject.TextAt("namespace"), subject.TextAt("name"));

    /// <summary>The user or group that this stands for; null: nobody.</summary>
    public (bool IsGroup, string Name)? Key(string bindingNamespace) => Kind switch
    {
        User => (false, Name),
        Group => (true, Name),
        ServiceAccount when (Namespace.Length > 0 ? Namespace : bindingNamespace) is { Length: > 0 } within => (false, AccountName.UserOf(within, Name)),
        _ => null,
    };

    public string Describe(string bindingNamespace) => Kind == ServiceAccount
        ? $"{Kind} {GoText.Quote($"{Name}/{(Namespace.Length > 0 ? Namespace : bindingNamespace)}")}"
        : $"{Kind} {GoText.Quote(Name)}";
}

/// <summary>What Kubernetes calls service accounts as users, and their groups.</summary>
internal static class AccountName
{
    private const string Prefix = "system:serviceaccount:";

    public static string UserOf(string @namespace, string name) => $"{Prefix}{@namespace}:{name}";

    public static IReadOnlyList<string> GroupsOf(string @namespace) => ["system:serviceaccounts", "system:serviceaccounts:" + @namespace, Caller.Authenticated];

    /// <summary>Null: the user is no service account.</summary>
    public static (string Namespace, string Name)? Parse(string user) =>
        user.StartsWith(Prefix, StringComparison.Ordinal) && user[Prefix.Length..].Split(':') is [{ Length: > 0 } within, { Length: > 0 } name] ? (within, name) : null;
}
