using Flotta.Resources;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace Flotta.EdgeApi.Configuration;

/// <summary>Which metrics are kept, from a ConfigMap's key <c>metrics_list.yaml</c>.</summary>
internal static class AllowList
{
    public const string Key = "metrics_list.yaml";

    private static readonly IDeserializer Yaml = new DeserializerBuilder().IgnoreUnmatchedProperties().Build();

    public static Wire.MetricsAllowList? Of(NameReference? reference, Ingredients from)
    {
        if (reference is not { Name.Length: > 0 })
            return null;
        var map = from.ConfigMap(reference.Name) ?? throw new MissingException($"ConfigMap {reference.Name} with an allow-list does not exist");
        if (map.Data?.TryGetValue(Key, out var text) != true || text == null)
            throw new MissingException($"ConfigMap {reference.Name} has no key {Key}");
        try
        {
            return new Wire.MetricsAllowList(Yaml.Deserialize<Document?>(text)?.Names ?? []);
        }
        catch (YamlException)
        {
            throw new MissingException($"the key {Key} of ConfigMap {reference.Name} is not a YAML document with names");
        }
    }

    private sealed class Document
    {
        [YamlMember(Alias = "names")]
        public List<string>? Names { get; set; }
    }
}
