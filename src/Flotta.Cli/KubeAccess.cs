using k8s;

namespace Flotta.Cli;

/// <summary>How a role reaches the Kubernetes API.</summary>
internal static class KubeAccess
{
    public static KubernetesClientConfiguration Load(string? kubeconfig)
    {
        var file = Known(kubeconfig) ?? Known(Environment.GetEnvironmentVariable("KUBECONFIG"));
        if (file == null && KubernetesClientConfiguration.IsInCluster())
            return KubernetesClientConfiguration.InClusterConfig();
        file ??= KubernetesClientConfiguration.KubeConfigDefaultLocation;
        if (!File.Exists(file))
            throw new FailureException($"there is no kubeconfig at {file}; name one with --kubeconfig, or run 'flotta up' for a control plane that needs no cluster.");
        try
        {
            return KubernetesClientConfiguration.BuildConfigFromConfigFile(file);
        }
        catch (NullReferenceException exception)
        {
            // What the library makes of an empty file, or of one in which something is missing.
            throw new FailureException($"the kubeconfig {file} cannot be used: it is empty or not whole.", exception);
        }
        catch (Exception exception)
        {
            throw new FailureException($"the kubeconfig {file} cannot be used: {exception.Message.TrimEnd('.')}.", exception);
        }
    }

    /// <summary>For a role inside <c>flotta up</c>: the same text that a person's kubeconfig would hold, and no file.</summary>
    public static KubernetesClientConfiguration Parse(string kubeconfig)
    {
        using var stream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(kubeconfig));
        return KubernetesClientConfiguration.BuildConfigFromConfigFile(stream);
    }

    private static string? Known(string? file) => string.IsNullOrWhiteSpace(file) ? null : file;
}
