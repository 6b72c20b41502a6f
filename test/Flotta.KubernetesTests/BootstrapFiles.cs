using System.Text;
using Flotta.EndToEnd;

namespace Flotta.KubernetesTests;

/// <summary>What new devices need, as an administrator fetches it: from the Secrets, whose names and keys are the original's.</summary>
internal static class BootstrapFiles
{
    public static async Task FetchAsync(ControlPlane plane)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(plane.Bootstrap("ca"))!);
        await KeepAsync("ca", "flotta-ca", "-o", """jsonpath={.data.ca\.crt}""");
        await KeepAsync("cert", "-l", "reg-client-ca=true", "-o", """jsonpath={.items[0].data.client\.crt}""");
        await KeepAsync("key", "-l", "reg-client-ca=true", "-o", """jsonpath={.items[0].data.client\.key}""");

        async Task KeepAsync(string file, params string[] query) =>
            await File.WriteAllTextAsync(plane.Bootstrap(file), Encoding.UTF8.GetString(Convert.FromBase64String(await plane.KubectlAsync(["-n", "flotta", "get", "secret", .. query]))));
    }
}
