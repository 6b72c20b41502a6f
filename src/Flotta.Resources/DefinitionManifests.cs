namespace Flotta.Resources;

/// <summary>
/// The definitions of our kinds as checked in under deploy/kubernetes/crds (a test holds them equal to <see cref="Definitions"/>). A program
/// that only hands them on needs no more than their text: making them anew would load the type of every part of a pod.
/// </summary>
public static class DefinitionManifests
{
    /// <summary>Name of the CustomResourceDefinition, and its YAML, which begins with a document marker and ends with a new line.</summary>
    public static IEnumerable<(string Name, string Yaml)> All
    {
        get
        {
            var assembly = typeof(DefinitionManifests).Assembly;
            foreach (var file in assembly.GetManifestResourceNames().Where(file => file.EndsWith(".yaml", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
            {
                using var text = new StreamReader(assembly.GetManifestResourceStream(file)!);
                var (group, plural) = Path.GetFileNameWithoutExtension(file).Split('_') is [var left, var right]
                    ? (left, right)
                    : throw new InvalidOperationException($"{file} is not named group_plural.yaml");
                yield return ($"{plural}.{group}", text.ReadToEnd().TrimEnd() + "\n");
            }
        }
    }
}
