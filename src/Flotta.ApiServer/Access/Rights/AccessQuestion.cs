using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.Access.Rights;

/// <summary>What a request wants to do, in the words of rules. With a path it is about no resource.</summary>
internal sealed record AccessQuestion(string Verb, string Group, string Version, string Resource, string Subresource, string Namespace, string Name, string? Path = null)
{
    public bool IsResource => Path is null;

    /// <summary>`pods/log`: the resource as rules name it.</summary>
    public string FullResource => Subresource.Length == 0 ? Resource : $"{Resource}/{Subresource}";

    public static AccessQuestion OfPath(string verb, string path) => new(verb, "", "", "", "", "", "", path);

    /// <summary>`User "x" cannot get resource …`, as the real server says it.</summary>
    public string Refusal(string user)
    {
        var what = $"User {GoText.Quote(user)} cannot {Verb} ";
        if (!IsResource)
            return Sanitise($"{what}path {GoText.Quote(Path!)}");
        var where = Namespace.Length > 0 ? $"in the namespace {GoText.Quote(Namespace)}" : "at the cluster scope";
        return Sanitise($"{what}resource {GoText.Quote(FullResource)} in API group {GoText.Quote(Group)} {where}");
    }

    // A path is the client's, and a browser might show the answer.
    private static string Sanitise(string text) =>
        text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);
}

/// <summary>May it?</summary>
/// <param name="Allowed">Yes or no.</param>
/// <param name="Reason">What there is to say to a no.</param>
internal readonly record struct Decision(bool Allowed, string Reason)
{
    /// <summary>Through which rule it may.</summary>
    public GrantedRule? By { get; init; }
}
