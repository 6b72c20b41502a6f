namespace Flotta.ApiServer.Verbs;

internal enum OutputKind
{
    Object,
    Table,
    PartialMetadata,
}

/// <summary>What the Accept header asks for.</summary>
/// <param name="Kind">The object as it is, or a form of it.</param>
/// <param name="Version">Of meta.k8s.io: v1 or v1beta1.</param>
/// <param name="Yaml">Written as YAML.</param>
internal readonly record struct OutputForm(OutputKind Kind, string Version, bool Yaml = false)
{
    public static OutputForm Plain { get; } = new(OutputKind.Object, "v1");

    /// <summary>The first that can be given; null: none of them.</summary>
    public static OutputForm? From(string accept)
    {
        if (string.IsNullOrWhiteSpace(accept))
            return Plain;
        foreach (var clause in accept.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = clause.Split(';', StringSplitOptions.TrimEntries);
            if (parts[0] is not ("application/json" or "application/yaml" or "application/*" or "*/*"))
                continue;
            var yaml = parts[0] == "application/yaml";
            var parameters = parts.Skip(1).Select(part => part.Split('=', 2)).Where(pair => pair.Length == 2).GroupBy(pair => pair[0]).ToDictionary(pair => pair.Key, pair => pair.First()[1]);
            if (!parameters.TryGetValue("as", out var form))
                return Plain with { Yaml = yaml };
            var version = parameters.GetValueOrDefault("v", "v1");
            if (parameters.GetValueOrDefault("g") != "meta.k8s.io" || version is not ("v1" or "v1beta1"))
                continue;
            if (form == "Table")
                return new OutputForm(OutputKind.Table, version, yaml);
            if (form is "PartialObjectMetadata" or "PartialObjectMetadataList")
                return new OutputForm(OutputKind.PartialMetadata, version, yaml);
        }

        return null;
    }
}
