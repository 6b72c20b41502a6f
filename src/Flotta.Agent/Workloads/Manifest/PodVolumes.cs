using System.Text.Json.Nodes;

namespace Flotta.Agent.Workloads;

/// <summary>
/// The volumes of a pod as podman can have them without treading on anybody: podman would call the volume of an emptyDir, ConfigMap or claim by
/// its bare name, and share it with (or delete it from under) whoever uses that name as well.
/// </summary>
internal sealed class PodVolumes(string workload, string hash, string filesFolder, ConfigSources sources)
{
    private const int ReadableByAll = 0b110_100_100;

    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);
    private readonly List<JsonObject> _rendered = [];
    private readonly HashSet<string> _ofFiles = new(StringComparer.Ordinal);

    public List<ConfigFile> Files { get; } = [];

    public List<string> Folders { get; } = [];

    public List<string> Claims { get; } = [];

    public List<MemoryVolume> InMemory { get; } = [];

    /// <summary>Folders and devices of the host that the workload names itself.</summary>
    public List<string> HostPaths { get; } = [];

    public JsonArray Rendered => new([.. _rendered]);

    /// <summary>The contents of ConfigMaps and Secrets, which the agent writes to disk.</summary>
    public static bool IsOfFiles(JsonObject volume) => volume.ContainsKey("configMap") || volume.ContainsKey("secret") || volume.ContainsKey("projected");

    public bool Has(string name) => _names.ContainsKey(name);

    public void AddHostPath(string name, string path)
    {
        _names[name] = name;
        _rendered.Add(new JsonObject { ["name"] = name, ["hostPath"] = new JsonObject { ["path"] = path, ["type"] = "DirectoryOrCreate" } });
    }

    public void Add(JsonObject volume)
    {
        var name = volume.Text("name");
        if (!WorkloadNames.IsLabel(name))
            throw new ManifestException("volumes has a member without a usable name");
        if (_names.ContainsKey(name!))
            throw new ManifestException($"volume {name} is there twice");
        var kind = volume.Select(pair => pair.Key).Where(key => key != "name").ToList() switch
        {
            [] => "emptyDir",
            [var only] => only,
            _ => throw new ManifestException($"volume {name} is of more than one kind"),
        };
        _names[name!] = kind == "emptyDir" ? $"flotta-{workload}-{hash[..12]}-{name}" : name!;
        _rendered.Add(Render(name!, kind, volume));
    }

    /// <summary>Makes a container's mounts point to what became of its volumes.</summary>
    public void Remount(JsonObject container)
    {
        foreach (var mount in container.Maps("volumeMounts"))
        {
            var volume = mount.Text("name") ?? "";
            if (!_names.TryGetValue(volume, out var name))
                throw new ManifestException($"container {container.Text("name")} mounts volume {volume}, which is not there");
            mount["name"] = name;
            if (!_ofFiles.Contains(volume))
                continue;
            // As in Kubernetes; and what a container could change here, such as a file into a link, the next mount of it would follow on the host.
            mount["readOnly"] = true;
            if (mount.Text("subPath") is { Length: > 0 } below)
                mount["name"] = SubPath(mount, volume, below);
        }
    }

    private JsonObject Render(string name, string kind, JsonObject volume)
    {
        switch (kind)
        {
            case "emptyDir" when volume.Map("emptyDir") is { } empty && empty.Text("medium") is { Length: > 0 } medium:
                return medium == "Memory" ? Memory(name, empty) : throw new ManifestException($"volume {name} is of the medium {medium}, which cannot be had on a device");
            case "emptyDir":
                return new JsonObject { ["name"] = _names[name], ["emptyDir"] = volume.Map("emptyDir")?.DeepClone() ?? new JsonObject() };
            case "hostPath":
                HostPaths.Add(volume.Map(kind)?.Text("path") ?? throw new ManifestException($"volume {name} has no path"));
                return (JsonObject)volume.DeepClone();
            case "persistentVolumeClaim":
                return Claim(name, volume.Map(kind)!);
            case "configMap":
                return OfFiles(name, Keys(name, SourceKind.ConfigMap, volume.Map(kind)!, "name", volume.Map(kind)!.Integer("defaultMode")));
            case "secret":
                return OfFiles(name, Keys(name, SourceKind.Secret, volume.Map(kind)!, "secretName", volume.Map(kind)!.Integer("defaultMode")));
            case "projected":
                return OfFiles(name, Projected(name, volume.Map(kind)!));
            default:
                throw new ManifestException($"volume {name} is of the kind {kind}, which cannot be had on a device");
        }
    }

    private JsonObject Memory(string name, JsonObject empty)
    {
        long? size = empty.Scalar("sizeLimit") is not { Length: > 0 } limit ? null : MemoryVolume.Parse(limit) ?? throw new ManifestException($"the sizeLimit of volume {name} is not a quantity");
        InMemory.Add(new MemoryVolume(_names[name], size));
        return new JsonObject { ["name"] = _names[name], ["persistentVolumeClaim"] = new JsonObject { ["claimName"] = _names[name] } };
    }

    private JsonObject Claim(string name, JsonObject claim)
    {
        var wanted = claim.Text("claimName");
        if (!WorkloadNames.IsValid(wanted))
            throw new ManifestException($"volume {name} has no usable claimName");
        var volume = $"flotta-claim-{wanted}";
        Claims.Add(volume);
        return new JsonObject
        {
            ["name"] = name,
            ["persistentVolumeClaim"] = new JsonObject { ["claimName"] = volume, ["readOnly"] = claim.Flag("readOnly") },
        };
    }

    private JsonObject OfFiles(string name, IEnumerable<ConfigFile> files)
    {
        Folders.Add(name);
        Files.AddRange(files);
        _ofFiles.Add(name);
        return new JsonObject
        {
            ["name"] = name,
            ["hostPath"] = new JsonObject { ["path"] = Path.Combine(filesFolder, hash, name), ["type"] = "Directory" },
        };
    }

    private IEnumerable<ConfigFile> Projected(string name, JsonObject projected)
    {
        var mode = projected.Integer("defaultMode");
        foreach (var source in projected.Maps("sources"))
        {
            var files =
                source.Map("configMap") is { } configMap ? Keys(name, SourceKind.ConfigMap, configMap, "name", mode)
                : source.Map("secret") is { } secret ? Keys(name, SourceKind.Secret, secret, "name", mode)
                : throw new ManifestException($"volume {name} projects something that cannot be had on a device");
            foreach (var file in files)
                yield return file;
        }
    }

    private IEnumerable<ConfigFile> Keys(string volume, SourceKind kind, JsonObject reference, string nameKey, int? mode)
    {
        var name = reference.Text(nameKey) is { Length: > 0 } given ? given : throw new ManifestException($"volume {volume} names no {kind}");
        var optional = reference.Flag("optional");
        if (!reference.ContainsKey("items"))
        {
            foreach (var (key, value) in sources.All(kind, name, optional) ?? new Dictionary<string, byte[]>(StringComparer.Ordinal))
                yield return File(volume, key, value, mode);
            yield break;
        }
        foreach (var item in reference.Maps("items"))
        {
            var key = item.Text("key") ?? throw new ManifestException($"volume {volume} has an item without a key");
            if (sources.One(kind, name, key, optional) is { } value)
                yield return File(volume, item.Text("path") ?? key, value, item.Integer("mode") ?? mode);
        }
    }

    private static ConfigFile File(string volume, string path, byte[] value, int? mode) =>
        IsInside(path)
            ? new ConfigFile(Path.Combine(volume, path), value, (mode ?? ReadableByAll) & 0b111_111_111)
            : throw new ManifestException($"volume {volume} has a file outside of itself");

    /// <summary>podman 4.3 mounts no part of a hostPath, so that part becomes a volume of its own.</summary>
    private string SubPath(JsonObject mount, string volume, string below)
    {
        if (!IsInside(below))
            throw new ManifestException($"the subPath of volume {volume} leads outside of it");
        var name = $"{volume}-part-{_rendered.Count}";
        var path = Path.Combine(filesFolder, hash, volume, below);
        var isFile = Files.Exists(file => file.Path == Path.Combine(volume, below));
        _rendered.Add(new JsonObject { ["name"] = name, ["hostPath"] = new JsonObject { ["path"] = path, ["type"] = isFile ? "File" : "Directory" } });
        mount.Remove("subPath");
        return name;
    }

    private static bool IsInside(string path) => path.Length <= 1024 && Array.TrueForAll(path.Split('/'), WorkloadNames.IsFileName);
}
