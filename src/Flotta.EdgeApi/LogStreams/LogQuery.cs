using System.Globalization;
using Flotta.Kube;
using Flotta.Resources;
using Flotta.Wire;
using Microsoft.AspNetCore.Http;

namespace Flotta.EdgeApi.LogStreams;

/// <summary>What a person asks for: GET …/namespaces/{namespace}/edgedevices/{name}/logs, with the parameters that a pod's logs have.</summary>
internal sealed record LogQuery(ObjectKey Device, string Workload, string? Container, TimeSpan? Since, int? Tail, bool Follow)
{
    private const string Prefix = "/apis/" + Names.ApiVersion + "/namespaces/";

    /// <summary>The device of such a path; null for any other path.</summary>
    public static ObjectKey? DeviceIn(string? path)
    {
        if (path?.StartsWith(Prefix, StringComparison.Ordinal) != true)
            return null;
        return path[Prefix.Length..].Split('/') is [{ Length: > 0 and <= 63 } space, "edgedevices", { Length: > 0 and <= 253 } name, "logs"] ? new ObjectKey(space, name) : null;
    }

    public static (LogQuery? Query, string? Problem) Of(ObjectKey device, IQueryCollection query)
    {
        string? One(string name) => query[name] is [{ Length: > 0 } value] ? value : null;
        if (One("workload") is not { Length: <= 253 } workload)
            return (null, "the parameter workload must name a workload");
        if (One("container") is { Length: > 253 })
            return (null, "the parameter container must name a container");
        if (Unreadable(One("sinceSeconds")))
            return (null, "the parameter sinceSeconds must be a number of seconds");
        if (Unreadable(One("tailLines")))
            return (null, "the parameter tailLines must be a number of lines");
        return (new LogQuery(device, workload, One("container"), Number(One("sinceSeconds")) is { } since ? TimeSpan.FromSeconds(since) : null, Number(One("tailLines")), One("follow") == "true"), null);
    }

    public LogArguments For(string stream) => new(stream, Workload, Container, Since, Tail, Follow);

    public static string PathOf(ObjectKey device, LogArguments asked)
    {
        var path = $"{Prefix}{Uri.EscapeDataString(device.Namespace)}/edgedevices/{Uri.EscapeDataString(device.Name)}/logs?workload={Uri.EscapeDataString(asked.Workload)}";
        if (asked.Container is { } container)
            path += "&container=" + Uri.EscapeDataString(container);
        if (asked.Since is { } since)
            path += string.Create(CultureInfo.InvariantCulture, $"&sinceSeconds={(long)since.TotalSeconds}");
        if (asked.Tail is { } tail)
            path += string.Create(CultureInfo.InvariantCulture, $"&tailLines={tail}");
        return asked.Follow ? path + "&follow=true" : path;
    }

    private static bool Unreadable(string? text) => text is not null && Number(text) is null;

    private static int? Number(string? text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
