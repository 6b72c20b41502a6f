namespace Flotta.Agent.Workloads;

/// <summary>Which names may come from a server. They become names of pods, folders and volumes, so nothing else may pass.</summary>
internal static class WorkloadNames
{
    /// <summary>A DNS subdomain, as Kubernetes names are: labels of small letters, digits and inner hyphens, joined by dots.</summary>
    public static bool IsValid(string? name) => name is { Length: > 0 and <= 200 } && Array.TrueForAll(name.Split('.'), IsLabel);

    public static bool IsLabel(string? label) =>
        label is { Length: > 0 and <= 63 }
        && label[0] != '-'
        && label[^1] != '-'
        && label.All(letter => letter is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-');

    /// <summary>One path segment: what keys of ConfigMaps and Secrets may be, and a folder's or file's name.</summary>
    public static bool IsFileName(string? name) =>
        name is { Length: > 0 and <= 253 }
        && name is not ("." or "..")
        && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.');
}
