using System.Text;
using YamlDotNet.Serialization;

namespace Flotta.Tests.Deploy;

/// <summary>The objects of YAML documents, by kind, namespace and name, each in a form that two of them can be compared in.</summary>
internal static class ManifestText
{
    public static IReadOnlyList<Dictionary<object, object>> Read(string documents) =>
    [
        .. documents.Split("\n---\n")
            .Select(text => new DeserializerBuilder().Build().Deserialize<Dictionary<object, object>?>(text))
            .OfType<Dictionary<object, object>>(),
    ];

    /// <summary>What the kustomization of a folder lists.</summary>
    public static IReadOnlyList<Dictionary<object, object>> OfKustomization(string folder)
    {
        var kustomization = Read(File.ReadAllText(Path.Combine(folder, "kustomization.yaml"))).Single();
        return [.. ((List<object>)kustomization["resources"]).SelectMany(file => Read(File.ReadAllText(Path.Combine(folder, (string)file))))];
    }

    public static string Key(Dictionary<object, object> thing)
    {
        var metadata = (Dictionary<object, object>)thing["metadata"];
        return $"{thing["kind"]} {metadata.GetValueOrDefault("namespace")}/{metadata["name"]}";
    }

    /// <summary>A value by keys and indexes, as in <c>spec.ports.0.name</c>.</summary>
    public static object? At(object? thing, string path) => path.Split('.').Aggregate(thing, (inner, step) => inner switch
    {
        Dictionary<object, object> map => map.GetValueOrDefault(step),
        List<object> list => list[int.Parse(step, System.Globalization.CultureInfo.InvariantCulture)],
        _ => null,
    });

    /// <summary>One line a value, sorted: what differs is seen.</summary>
    public static string Lines(object? thing)
    {
        var lines = new StringBuilder();
        Write(lines, "", thing);
        return lines.ToString();
    }

    private static void Write(StringBuilder lines, string path, object? thing)
    {
        switch (thing)
        {
            case Dictionary<object, object> { Count: > 0 } map:
                foreach (var (key, value) in map.OrderBy(pair => (string)pair.Key, StringComparer.Ordinal)) Write(lines, $"{path}.{key}", value);
                break;
            case List<object> { Count: > 0 } list:
                for (var index = 0; index < list.Count; index++) Write(lines, $"{path}[{index}]", list[index]);
                break;
            default:
                lines.Append(path).Append(" = ").AppendLine(thing is string text ? text : "(empty)");
                break;
        }
    }
}
