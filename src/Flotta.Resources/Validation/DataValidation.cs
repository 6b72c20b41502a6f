namespace Flotta.Resources.Validation;

/// <summary>Paths of the data synchronisation that could never work on a device.</summary>
internal static class DataValidation
{
    public static IEnumerable<string> Errors(DataPaths? data)
    {
        if (data is null)
            yield break;
        foreach (var path in data.Egress ?? [])
        {
            if (Leaves(path.Source)) yield return $"spec.data.egress: the source '{path.Source}' leaves /export";
            if (Leaves(path.Target)) yield return $"spec.data.egress: the target '{path.Target}' leaves the bucket";
        }

        foreach (var path in data.Ingress ?? [])
        {
            if (Leaves(path.Target)) yield return $"spec.data.ingress: the target '{path.Target}' leaves /export";
            if (Leaves(path.Source)) yield return $"spec.data.ingress: the source '{path.Source}' leaves the bucket";
        }
    }

    private static bool Leaves(string path) => path.Split('/').Contains("..", StringComparer.Ordinal) || path.Contains('\0', StringComparison.Ordinal);
}
