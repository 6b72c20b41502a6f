namespace Flotta.Resources.Validation;

internal static class MonitorValidation
{
    private const int Most = 20;

    public static IEnumerable<string> Errors(IReadOnlyList<ResourceMonitor>? monitors)
    {
        if (monitors is null)
            yield break;
        if (monitors.Count > Most)
            yield return $"spec.monitors has {monitors.Count} entries, and there may be {Most}";
        foreach (var name in monitors.GroupBy(monitor => monitor.Name, StringComparer.Ordinal).Where(same => same.Count() > 1).Select(same => same.Key))
            yield return $"spec.monitors[{name}] is there twice";
        foreach (var monitor in monitors)
        {
            if (!IsName(monitor.Name))
                yield return $"spec.monitors[{monitor.Name}].name must be small letters, digits and '-', at most 40, beginning and ending with a letter or digit";
            if (monitor.ResetBelow > monitor.Threshold)
                yield return $"spec.monitors[{monitor.Name}].resetBelow is above the threshold, so the alarm would end as soon as it begins";
            if (monitor.Path is { Length: > 0 } path && (path[0] != '/' || monitor.Resource != "disk"))
                yield return $"spec.monitors[{monitor.Name}].path is a folder, from the root, of a disk";
        }
    }

    private static bool IsName(string name) =>
        name.Length is > 0 and <= 40 && name.All(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) || character == '-') && name[0] != '-' && name[^1] != '-';
}
