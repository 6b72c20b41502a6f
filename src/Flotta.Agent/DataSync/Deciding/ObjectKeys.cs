using System.Text;

namespace Flotta.Agent.DataSync;

/// <summary>From files to keys and back, as the original did it.</summary>
internal static class ObjectKeys
{
    /// <summary>The key of a file of an egress route: the target, and the file's path below the source.</summary>
    public static string Of(DataRoute route, string path)
    {
        if (path == route.Local)
            return route.IntoFolder || route.Remote.Length == 0 ? Below(route.Remote, path[(path.LastIndexOf('/') + 1)..]) : route.Remote;
        return Below(route.Remote, route.Local.Length == 0 ? path : path[(route.Local.Length + 1)..]);
    }

    /// <summary>What the keys of an ingress route begin with.</summary>
    public static string Prefix(DataRoute route) => route.Remote.Length == 0 ? "" : route.Remote + "/";

    /// <summary>
    /// Where below /export an object belongs. Keys are of anybody's making: null for those that are no path of a file there, and then why.
    /// </summary>
    public static string? PathOf(DataRoute route, string key, out string? refused)
    {
        refused = null;
        if (key == route.Remote)
            return route.IntoFolder || route.Local.Length == 0 ? Below(route.Local, key[(key.LastIndexOf('/') + 1)..]) : route.Local;
        if (!key.StartsWith(Prefix(route), StringComparison.Ordinal))
        {
            refused = "it was not asked for";
            return null;
        }

        var rest = key[Prefix(route).Length..];
        // What consoles make to show a folder.
        if (rest.Length == 0 || rest.EndsWith('/'))
            return null;
        refused = Array.Find(Array.ConvertAll(rest.Split('/'), Problem), problem => problem is not null) ?? (Encoding.UTF8.GetByteCount(rest) > 3000 ? "it is too long for a path" : null);
        return refused is null ? Below(route.Local, rest) : null;
    }

    private static string Below(string place, string path) => place.Length == 0 ? path : place + "/" + path;

    private static string? Problem(string name) => name switch
    {
        "" => "a folder in it has no name",
        "." or ".." => "it leaves its folder",
        _ when name.Any(char.IsControl) => "it has control characters",
        _ when Encoding.UTF8.GetByteCount(name) > 255 => "a name in it is too long for a file",
        _ => null,
    };
}
