using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Flotta.Wire;

namespace Flotta.Agent.Workloads;

/// <summary>From a workload of the configuration to a pod for podman: a pure function of its arguments.</summary>
internal static class PodRenderer
{
    /// <summary>Of podman itself, always there; without a name podman would make one for Kubernetes pods, and leave it behind.</summary>
    private const string Network = "podman";

    private const int LongestHostName = 63;
    private const int DefaultGraceSeconds = 10;
    private const int LongestGraceSeconds = 300;

    // Part of every hash: raising it re-creates every pod of every device, so it is raised only when a pod of before would be wrong.
    private const int Revision = 1;

    // The same for those that mount ConfigMaps or Secrets: they could write to them before.
    private const int RevisionWithFiles = 2;

    /// <param name="pins">Images by id, of a workload that follows what is behind their names.</param>
    public static PodManifest Render(Workload workload, IReadOnlyList<Secret> secrets, string deviceId, WorkloadFolders folders, IReadOnlyDictionary<string, string>? pins = null)
    {
        var name = workload.Name!;
        if (!WorkloadNames.IsValid(name))
            throw new ManifestException("the workload's name is not a DNS name");
        var auth = RegistryAuth.Header(workload.ImageRegistries?.AuthFile);
        var wanted = YamlTree.Read(workload.Specification ?? "", "specification");
        var spec = (JsonObject)wanted.DeepClone();
        var sources = new ConfigSources(workload.Configmaps ?? [], secrets);
        var (containers, inits) = Containers(spec);

        // Environment and volumes say which values are used; those are part of the hash; the hash is part of the volumes' names.
        foreach (var container in containers.Concat(inits))
            EnvironmentVariables.Resolve(container, sources, deviceId);
        _ = VolumesOf(spec, name, new string('0', 64), folders, sources);
        var hash = Hash(workload, wanted, sources.Used, pins);
        var volumes = VolumesOf(spec, name, hash, folders, sources);

        var probes = containers.SelectMany(ContainerProbe.Take).ToList();
        foreach (var init in inits)
            _ = ContainerProbe.Take(init);
        var images = Images(containers.Concat(inits)).ConvertAll(image => image with { Id = pins?.GetValueOrDefault(image.Reference) });
        AddExport(containers, volumes, name, folders);
        foreach (var container in containers.Concat(inits))
        {
            volumes.Remount(container);
            Texts(container, "command");
            Texts(container, "args");
            // Pulling is a step of its own, before the old pod stops.
            container["imagePullPolicy"] = "Never";
            if (pins?.GetValueOrDefault(container.Text("image")!) is { } id)
                container["image"] = id;
        }
        spec["volumes"] = volumes.Rendered;
        var policy = Policy(spec);
        // The agent starts what ended, with growing pauses; podman would do so at once and for ever.
        spec["restartPolicy"] = "Never";
        if (name.Length > LongestHostName && spec.Text("hostname") is null)
            spec["hostname"] = name[..LongestHostName].TrimEnd('-', '.');

        var labels = Labels(workload, deviceId, hash, policy, Grace(spec), inits);
        var document = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Pod",
            ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = labels, ["annotations"] = Annotations(workload, inits) },
            ["spec"] = spec,
        };
        return new PodManifest
        {
            Name = name,
            Hash = hash,
            Fingerprint = auth is null ? hash : Hex($"{hash}\n{auth}"),
            Document = document.ToJsonString(),
            Network = spec.Flag("hostNetwork") ? null : Network,
            RestartPolicy = policy,
            Images = images,
            RegistryAuth = auth,
            Ports = spec.Flag("hostNetwork") ? [] : Ports(containers),
            Volumes = volumes.Claims,
            InMemory = volumes.InMemory,
            HostPaths = volumes.HostPaths,
            Files = volumes.Files,
            Folders = volumes.Folders,
            Probes = probes,
            Updates = ImagePins.SourceOf(workload),
            Pinned = pins is { Count: > 0 },
        };
    }

    /// <summary>The ports alone, for which nothing has to be there that the specification refers to; none where it cannot be read.</summary>
    public static IReadOnlyList<HostPort> PortsOf(string specification)
    {
        try
        {
            var spec = YamlTree.Read(specification, "specification");
            return spec.Flag("hostNetwork") ? [] : Ports(Containers(spec).Containers);
        }
        catch (ManifestException)
        {
            return [];
        }
    }

    private static (IReadOnlyList<JsonObject> Containers, IReadOnlyList<JsonObject> Inits) Containers(JsonObject spec)
    {
        var (containers, inits) = (spec.Maps("containers"), spec.Maps("initContainers"));
        if (containers.Count == 0)
            throw new ManifestException("the specification has no containers");
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var container in containers.Concat(inits))
        {
            var name = container.Text("name");
            if (!WorkloadNames.IsLabel(name))
                throw new ManifestException("there is a container without a usable name");
            if (!names.Add(name!))
                throw new ManifestException($"there are two containers called {name}");
        }
        return (containers, inits);
    }

    private static PodVolumes VolumesOf(JsonObject spec, string name, string hash, WorkloadFolders folders, ConfigSources sources)
    {
        var volumes = new PodVolumes(name, hash, folders.Files(name), sources);
        foreach (var volume in spec.Maps("volumes"))
            volumes.Add(volume);
        return volumes;
    }

    /// <summary>The folder that every workload has for data to be synchronised, unless it mounts something else there.</summary>
    private static void AddExport(IReadOnlyList<JsonObject> containers, PodVolumes volumes, string name, WorkloadFolders folders)
    {
        var volume = $"export-{name.Replace('.', '-')}";
        if (volumes.Has(volume))
            return;
        volumes.AddHostPath(volume, folders.Export(name));
        foreach (var container in containers)
        {
            if (container.Maps("volumeMounts").All(mount => mount.Text("mountPath")?.TrimEnd('/') != "/export"))
                container.ListFor("volumeMounts").Add(new JsonObject { ["name"] = volume, ["mountPath"] = "/export" });
        }
    }

    private static List<ImageNeed> Images(IEnumerable<JsonObject> containers)
    {
        var needs = new List<ImageNeed>();
        foreach (var container in containers)
        {
            var image = container.Text("image");
            if (image is not { Length: > 0 and <= 512 } || !image.All(letter => char.IsAsciiLetterOrDigit(letter) || "._-/:@".Contains(letter, StringComparison.Ordinal)))
                throw new ManifestException($"container {container.Text("name")} has no usable image");
            var need = new ImageNeed(image, container.Text("imagePullPolicy") switch
            {
                "Always" => PullPolicy.Always,
                "IfNotPresent" => PullPolicy.IfNotPresent,
                "Never" => PullPolicy.Never,
                null or "" => IsLatest(image) ? PullPolicy.Newer : PullPolicy.IfNotPresent,
                _ => throw new ManifestException($"container {container.Text("name")} has an unknown imagePullPolicy"),
            });
            if (!needs.Contains(need))
                needs.Add(need);
        }
        return needs;
    }

    private static bool IsLatest(string image)
    {
        if (image.Contains('@', StringComparison.Ordinal))
            return false;
        var last = image[(image.LastIndexOf('/') + 1)..];
        var colon = last.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 || last[(colon + 1)..] == "latest";
    }

    private static List<HostPort> Ports(IEnumerable<JsonObject> containers)
    {
        var ports = new List<HostPort>();
        foreach (var port in containers.SelectMany(container => container.Maps("ports")))
        {
            if (port.Integer("hostPort") is not { } number || number == 0)
                continue;
            if (number is < 1 or > 65535)
                throw new ManifestException($"hostPort {number.ToString(CultureInfo.InvariantCulture)} is not a port");
            var need = new HostPort(port.Text("hostIP") ?? "", number, string.Equals(port.Text("protocol"), "UDP", StringComparison.OrdinalIgnoreCase));
            if (ports.Contains(need))
                throw new ManifestException($"hostPort {number.ToString(CultureInfo.InvariantCulture)} is there twice");
            ports.Add(need);
        }
        return ports;
    }

    private static RestartPolicy Policy(JsonObject spec) => spec.Text("restartPolicy") switch
    {
        null or "" or "Always" => RestartPolicy.Always,
        "OnFailure" => RestartPolicy.OnFailure,
        "Never" => RestartPolicy.Never,
        var other => throw new ManifestException($"restartPolicy {other} is none of Always, OnFailure and Never"),
    };

    private static int Grace(JsonObject spec) => Math.Clamp(spec.Integer("terminationGracePeriodSeconds") ?? DefaultGraceSeconds, 0, LongestGraceSeconds);

    private static JsonObject Labels(Workload workload, string deviceId, string hash, RestartPolicy policy, int grace, IReadOnlyList<JsonObject> inits)
    {
        var labels = new JsonObject();
        foreach (var (key, value) in workload.Labels ?? new Dictionary<string, string>(StringComparer.Ordinal))
        {
            // Following an image is the agent's; podman would refuse one that is named by its id.
            if (!key.StartsWith(ObjectLabels.Prefix, StringComparison.Ordinal) && !ImagePins.IsLabel(key))
                labels[key] = value;
        }
        labels[ObjectLabels.Managed] = "true";
        labels[ObjectLabels.Workload] = workload.Name;
        labels[ObjectLabels.Hash] = hash;
        labels[ObjectLabels.Device] = deviceId;
        labels[ObjectLabels.RestartPolicy] = policy.ToString();
        labels[ObjectLabels.GraceSeconds] = grace.ToString(CultureInfo.InvariantCulture);
        if (inits.Count > 0)
            labels[ObjectLabels.InitContainers] = string.Join(',', inits.Select(init => init.Text("name")));
        return labels;
    }

    private static JsonObject Annotations(Workload workload, IReadOnlyList<JsonObject> inits)
    {
        var annotations = new JsonObject();
        // As in Kubernetes, at every start of the pod; podman 4.3 fails now and then when it shall remove one that has just ended.
        if (inits.Count > 0)
            annotations["io.podman.annotations.init.container.type"] = "always";
        foreach (var (key, value) in workload.Annotations ?? new Dictionary<string, string>(StringComparer.Ordinal))
        {
            if (!ImagePins.IsLabel(key))
                annotations[key] = value;
        }
        return annotations;
    }

    private static void Texts(JsonObject container, string key)
    {
        if (container[key] is not JsonArray list)
            return;
        for (var index = 0; index < list.Count; index++)
            list[index] = new JsonObject { ["item"] = list[index]?.DeepClone() }.Scalar("item") ?? "";
    }

    private static string Hash(Workload workload, JsonObject spec, JsonObject used, IReadOnlyDictionary<string, string>? pins)
    {
        var parts = new JsonObject { ["revision"] = spec.Maps("volumes").Any(PodVolumes.IsOfFiles) ? RevisionWithFiles : Revision, ["spec"] = spec.Canonical(), ["labels"] = Map(workload.Labels), ["annotations"] = Map(workload.Annotations), ["used"] = used.Canonical() };
        if (pins is { Count: > 0 })
            parts["images"] = Map(pins);
        return Hex(parts.ToJsonString());
    }

    private static JsonNode? Map(IReadOnlyDictionary<string, string>? map) =>
        new JsonObject((map ?? new Dictionary<string, string>(StringComparer.Ordinal)).Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))).Canonical();

    private static string Hex(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
