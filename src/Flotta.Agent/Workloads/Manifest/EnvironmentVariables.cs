using System.Text;
using System.Text.Json.Nodes;

namespace Flotta.Agent.Workloads;

/// <summary>
/// Replaces references to ConfigMaps and Secrets in a container's environment by their values. podman would store them in the container's
/// environment all the same, but would first want every secret as an object of its own, in a form that has changed between its versions.
/// </summary>
internal static class EnvironmentVariables
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static void Resolve(JsonObject container, ConfigSources sources, string deviceId)
    {
        // Later ones win, as in Kubernetes: envFrom in order, then env; DEVICE_ID is the device's to say.
        var values = new Dictionary<string, JsonObject>(StringComparer.Ordinal);
        foreach (var from in container.Maps("envFrom"))
            AddAll(values, from, sources);
        foreach (var variable in container.Maps("env"))
            AddOne(values, variable, sources);
        values["DEVICE_ID"] = Literal("DEVICE_ID", deviceId);
        container.Remove("envFrom");
        container["env"] = new JsonArray([.. values.Values]);
    }

    private static void AddAll(Dictionary<string, JsonObject> values, JsonObject from, ConfigSources sources)
    {
        var prefix = from.Text("prefix") ?? "";
        foreach (var (kind, key) in new[] { (SourceKind.ConfigMap, "configMapRef"), (SourceKind.Secret, "secretRef") })
        {
            if (from.Map(key) is not { } reference)
                continue;
            foreach (var (name, value) in sources.All(kind, Name(reference, key), reference.Flag("optional")) ?? new Dictionary<string, byte[]>(StringComparer.Ordinal))
            {
                // What cannot be a variable's name is left out, as the kubelet does.
                if (IsName(prefix + name))
                    values[prefix + name] = Literal(prefix + name, Decode(value, prefix + name));
            }
        }
    }

    private static void AddOne(Dictionary<string, JsonObject> values, JsonObject variable, ConfigSources sources)
    {
        var name = variable.Scalar("name") is { Length: > 0 } given && IsName(given) ? given : throw new ManifestException("env has a member without a usable name");
        if (variable.Map("valueFrom") is not { } from)
        {
            values[name] = Literal(name, variable.Scalar("value") ?? "");
            return;
        }
        var (kind, key) = from.ContainsKey("secretKeyRef") ? (SourceKind.Secret, "secretKeyRef") : (SourceKind.ConfigMap, "configMapKeyRef");
        if (from.Map(key) is not { } reference)
        {
            // fieldRef and resourceFieldRef: podman knows some of them, and says which not.
            values[name] = (JsonObject)variable.DeepClone();
            return;
        }
        var at = reference.Text("key") ?? throw new ManifestException($"{key} of {name} has no key");
        if (sources.One(kind, Name(reference, key), at, reference.Flag("optional")) is { } value)
            values[name] = Literal(name, Decode(value, name));
    }

    private static string Name(JsonObject reference, string key) =>
        reference.Text("name") is { Length: > 0 } name ? name : throw new ManifestException($"{key} has no name");

    private static JsonObject Literal(string name, string value) => new() { ["name"] = name, ["value"] = value };

    private static bool IsName(string name) => name.Length is > 0 and <= 512 && !name.AsSpan().ContainsAny('=', '\0', '\n') && !char.IsAsciiDigit(name[0]);

    private static string Decode(byte[] value, string name)
    {
        try
        {
            var text = Strict.GetString(value);
            return text.Contains('\0', StringComparison.Ordinal) ? throw new ManifestException($"the value for {name} has a NUL in it") : text;
        }
        catch (DecoderFallbackException)
        {
            throw new ManifestException($"the value for {name} is not text");
        }
    }
}
