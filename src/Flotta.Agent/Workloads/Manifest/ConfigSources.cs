using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Flotta.Wire;

namespace Flotta.Agent.Workloads;

/// <summary>
/// The ConfigMaps and Secrets that a workload may refer to, and which of their values it did: only those belong to its hash.
/// </summary>
internal sealed class ConfigSources
{
    // Kubernetes takes 1 MiB; this is its base64, and some room.
    private const int MaxSecret = 2 << 20;

    private readonly Dictionary<string, SortedList<string, byte[]>> _configMaps = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Secret> _secrets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SortedList<string, byte[]>> _opened = new(StringComparer.Ordinal);

    public ConfigSources(IEnumerable<string> configMaps, IEnumerable<Secret> secrets)
    {
        foreach (var text in configMaps)
        {
            var document = YamlTree.Read(text, "ConfigMap");
            var name = document.Map("metadata")?.Text("name") ?? throw new ManifestException("a ConfigMap has no name");
            _configMaps[name] = Values(document, $"ConfigMap {name}");
        }
        foreach (var secret in secrets)
        {
            if (secret.Name is { Length: > 0 } name)
                _secrets[name] = secret;
        }
    }

    /// <summary>What was looked up, by kind, name and key, for the hash.</summary>
    public JsonObject Used { get; } = [];

    /// <summary>All values of one object; null when it is absent and may be.</summary>
    public IReadOnlyDictionary<string, byte[]>? All(SourceKind kind, string name, bool optional)
    {
        var values = Find(kind, name, optional);
        foreach (var (key, value) in values ?? [])
            Note(kind, name, key, value);
        return values;
    }

    /// <summary>One value; null when it is absent and may be.</summary>
    public byte[]? One(SourceKind kind, string name, string key, bool optional)
    {
        var values = Find(kind, name, optional);
        if (values is null || !values.TryGetValue(key, out var value))
            return optional ? null : throw new ManifestException($"{kind} {name} has no key {key}");
        Note(kind, name, key, value);
        return value;
    }

    private void Note(SourceKind kind, string name, string key, byte[] value) => Used[$"{kind}/{name}/{key}"] = Convert.ToBase64String(value);

    private SortedList<string, byte[]>? Find(SourceKind kind, string name, bool optional)
    {
        var found = kind == SourceKind.ConfigMap ? _configMaps.GetValueOrDefault(name) : Open(name);
        return found is null && !optional ? throw new ManifestException($"{kind} {name} did not come with the configuration") : found;
    }

    /// <summary>Opened only when asked for: another workload's broken secret is not this one's problem.</summary>
    private SortedList<string, byte[]>? Open(string name)
    {
        if (_opened.TryGetValue(name, out var known))
            return known;
        if (!_secrets.TryGetValue(name, out var secret))
            return null;
        if (secret.Data?.Length > MaxSecret)
            throw new ManifestException($"Secret {name} is larger than {MaxSecret >> 20} MiB");
        try
        {
            var data = JsonNode.Parse(secret.Data ?? "{}") as JsonObject ?? [];
            return _opened[name] = Decoded(data, $"Secret {name}");
        }
        catch (JsonException)
        {
            throw new ManifestException($"Secret {name} is not JSON");
        }
    }

    private static SortedList<string, byte[]> Values(JsonObject document, string what)
    {
        var values = Decoded(document.Map("binaryData") ?? [], what);
        var data = document.Map("data") ?? [];
        foreach (var key in data.Select(pair => pair.Key))
            values[key] = Encoding.UTF8.GetBytes(data.Scalar(key) ?? "");
        return values;
    }

    private static SortedList<string, byte[]> Decoded(JsonObject data, string what)
    {
        var values = new SortedList<string, byte[]>(StringComparer.Ordinal);
        foreach (var key in data.Select(pair => pair.Key))
        {
            try
            {
                values[key] = Convert.FromBase64String(data.Scalar(key) ?? "");
            }
            catch (FormatException)
            {
                throw new ManifestException($"the value of {key} in {what} is not base64");
            }
        }
        return values;
    }
}

internal enum SourceKind
{
    ConfigMap,
    Secret,
}
