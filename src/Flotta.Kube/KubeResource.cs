namespace Flotta.Kube;

/// <summary>A kind that is known by its names alone: for who carries objects around and looks into few of them.</summary>
public sealed record KubeResource(string ApiVersion, string Kind, string Plural, bool Namespaced)
{
    private string Prefix => ApiVersion.Contains('/', StringComparison.Ordinal) ? "apis/" + ApiVersion : "api/" + ApiVersion;

    /// <summary>An empty namespace means all of them.</summary>
    public string Collection(string? @namespace = null) =>
        string.IsNullOrEmpty(@namespace) ? $"{Prefix}/{Plural}" : $"{Prefix}/namespaces/{Uri.EscapeDataString(@namespace)}/{Plural}";

    public string One(ObjectKey key) => key.Name is "" or "." or ".."
        ? throw new ArgumentException($"'{key.Name}' is not the name of an object", nameof(key))
        : $"{Collection(key.Namespace)}/{Uri.EscapeDataString(key.Name)}";
}
