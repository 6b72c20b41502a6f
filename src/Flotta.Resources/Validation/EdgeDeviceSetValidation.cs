namespace Flotta.Resources.Validation;

public static class EdgeDeviceSetValidation
{
    /// <summary>Everything that is wrong with a set of devices, each in a sentence.</summary>
    public static IReadOnlyList<string> Errors(EdgeDeviceSet set) => [.. StorageValidation.Errors(set.Spec.Storage), .. MonitorValidation.Errors(set.Spec.Monitors)];
}
