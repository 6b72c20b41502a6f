using System.Text.Json;

namespace Flotta.Resources;

/// <summary>A container of a pod. <paramref name="Json"/> is the whole of it.</summary>
public sealed record PodContainer(
    string Name,
    string? Image,
    string? ImagePullPolicy,
    IReadOnlyList<PodPort> Ports,
    IReadOnlyList<PodVariableSource> EnvFrom,
    IReadOnlyList<PodVariable> Env,
    JsonElement Json)
{
    internal static PodContainer From(JsonElement json) => new(
        json.Text("name") ?? "",
        json.Text("image"),
        json.Text("imagePullPolicy"),
        [.. json.Objects("ports").Select(PodPort.From)],
        [.. json.Objects("envFrom").Select(PodVariableSource.From)],
        [.. json.Objects("env").Select(PodVariable.From)],
        json);
}

public sealed record PodPort(string? Name, int ContainerPort, int? HostPort, string? HostIp, string Protocol)
{
    internal static PodPort From(JsonElement json) =>
        new(json.Text("name"), json.Number("containerPort") ?? 0, json.Number("hostPort"), json.Text("hostIP"), json.Text("protocol") ?? "TCP");
}

/// <summary>Another object, or one key in it, that a pod needs to start unless it is optional.</summary>
public sealed record PodReference(string Name, string? Key, bool Optional)
{
    internal static PodReference? From(JsonElement parent, string property, string name = "name") =>
        parent.Object(property) is { } json && json.Text(name) is { Length: > 0 } target
            ? new(target, json.Text("key"), json.Flag("optional") ?? false)
            : null;
}

/// <summary>All keys of a ConfigMap or Secret as variables.</summary>
public sealed record PodVariableSource(string? Prefix, PodReference? ConfigMap, PodReference? Secret)
{
    internal static PodVariableSource From(JsonElement json) =>
        new(json.Text("prefix"), PodReference.From(json, "configMapRef"), PodReference.From(json, "secretRef"));
}

/// <summary>One variable. <paramref name="FieldRef"/> is the path of a field of the pod, <paramref name="ResourceFieldRef"/> a limit or request of a container.</summary>
public sealed record PodVariable(string Name, string? Value, PodReference? ConfigMap, PodReference? Secret, string? FieldRef, string? ResourceFieldRef)
{
    internal static PodVariable From(JsonElement json)
    {
        var from = json.Object("valueFrom");
        return new(
            json.Text("name") ?? "",
            json.Text("value"),
            from is { } map ? PodReference.From(map, "configMapKeyRef") : null,
            from is { } secret ? PodReference.From(secret, "secretKeyRef") : null,
            from?.Object("fieldRef") is { } field ? field.Text("fieldPath") ?? "" : null,
            from?.Object("resourceFieldRef") is { } resource ? resource.Text("resource") ?? "" : null);
    }
}

/// <summary>A volume. <paramref name="Kind"/> is the property that says what it is: hostPath, configMap, secret, emptyDir, persistentVolumeClaim and so on.</summary>
public sealed record PodVolume(string Name, string? Kind, PodReference? ConfigMap, PodReference? Secret, string? HostPath, string? ClaimName, JsonElement Json)
{
    internal static PodVolume From(JsonElement json) => new(
        json.Text("name") ?? "",
        json.EnumerateObject().FirstOrDefault(property => property.Name != "name" && property.Value.ValueKind == JsonValueKind.Object).Name,
        PodReference.From(json, "configMap"),
        PodReference.From(json, "secret", "secretName"),
        json.Object("hostPath")?.Text("path"),
        json.Object("persistentVolumeClaim")?.Text("claimName"),
        json);
}
