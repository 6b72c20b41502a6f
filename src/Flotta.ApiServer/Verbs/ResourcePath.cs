namespace Flotta.ApiServer.Verbs;

/// <summary>`/apis/GROUP/VERSION/namespaces/NS/PLURAL/NAME/SUBRESOURCE` taken apart. What is absent is empty.</summary>
internal sealed record ResourcePath(string Group, string Version, string Namespace, string Plural, string Name, string Subresource, bool Watch)
{
    /// <summary>Null: not the path of a resource.</summary>
    public static ResourcePath? Parse(string path)
    {
        var parts = path.Trim('/').Split('/');
        if (parts.Any(part => part.Length == 0))
            return null;
        var (group, version, rest) = parts switch
        {
            ["api", var core, .. var after] => ("", core, after),
            ["apis", var named, var its, .. var after] => (named, its, after),
            _ => ("", "", []),
        };
        var watch = rest is ["watch", _, ..];
        if (watch)
            rest = rest[1..];
        return rest switch
        {
            // A namespace is an object, and the folder of others.
            ["namespaces", var name, "status" or "finalize"] when group.Length == 0 => new ResourcePath(group, version, "", "namespaces", name, rest[2], watch),
            ["namespaces", var within, var plural] => new ResourcePath(group, version, within, plural, "", "", watch),
            ["namespaces", var within, var plural, var name] => new ResourcePath(group, version, within, plural, name, "", watch),
            ["namespaces", var within, var plural, var name, var sub] => new ResourcePath(group, version, within, plural, name, sub, watch),
            [var plural] => new ResourcePath(group, version, "", plural, "", "", watch),
            [var plural, var name] => new ResourcePath(group, version, "", plural, name, "", watch),
            [var plural, var name, var sub] => new ResourcePath(group, version, "", plural, name, sub, watch),
            _ => null,
        };
    }
}
