namespace Flotta.Resources.Validation;

public static class EdgeDeviceValidation
{
    /// <summary>Everything that is wrong with a device, each in a sentence.</summary>
    public static IReadOnlyList<string> Errors(EdgeDevice device) =>
        device.Spec.Storage?.S3 is { CreateObc: true } s3 && !(string.IsNullOrEmpty(s3.SecretName) && string.IsNullOrEmpty(s3.ConfigMapName))
            ?
            [
                "spec.storage.s3.createOBC cannot be true together with spec.storage.s3.secretName or spec.storage.s3.configMapName;\n"
                + "either set createOBC=false or clear the other two",
            ]
            : [];
}
