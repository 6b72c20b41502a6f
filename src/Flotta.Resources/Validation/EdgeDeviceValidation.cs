namespace Flotta.Resources.Validation;

public static class EdgeDeviceValidation
{
    /// <summary>Everything that is wrong with a device, each in a sentence.</summary>
    public static IReadOnlyList<string> Errors(EdgeDevice device) => [.. StorageValidation.Errors(device.Spec.Storage), .. MonitorValidation.Errors(device.Spec.Monitors)];
}
