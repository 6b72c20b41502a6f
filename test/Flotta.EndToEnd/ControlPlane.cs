namespace Flotta.EndToEnd;

/// <summary>What a person and a device see of a control plane, whatever API server is behind it.</summary>
internal abstract class ControlPlane(string folder) : IAsyncDisposable
{
    public string Folder { get; } = folder;

    public string Kubeconfig => Path.Combine(Folder, "kubeconfig");

    public abstract string EdgeServer { get; }

    public string Bootstrap(string file) => Path.Combine(Folder, "bootstrap", file + ".pem");

    /// <summary>The answer of kubectl; fails the test when kubectl fails.</summary>
    public async Task<string> KubectlAsync(params string[] arguments)
    {
        var (exitCode, output, said) = await TryKubectlAsync(arguments);
        exitCode.ShouldBe(0, $"kubectl {string.Join(' ', arguments)}: {said}");
        return output;
    }

    public Task<(int ExitCode, string Output, string Said)> TryKubectlAsync(params string[] arguments) => RunningProgram.RunAsync(
        "kubectl", ["--kubeconfig", Kubeconfig, "--cache-dir", Path.Combine(Folder, "kubectl-cache"), .. arguments]);

    public async Task ApplyAsync(string manifest)
    {
        var file = Path.Combine(Folder, $"manifest-{Guid.NewGuid():N}.yaml");
        await File.WriteAllTextAsync(file, manifest);
        await KubectlAsync("apply", "-f", file);
    }

    /// <summary>A field by JSONPath, empty where there is none or the object is not there.</summary>
    public async Task<string> FieldAsync(string kind, string name, string path)
    {
        var (exitCode, output, _) = await TryKubectlAsync("get", kind, name, "-o", $"jsonpath={{{path}}}");
        return exitCode == 0 ? output : "";
    }

    public abstract ValueTask DisposeAsync();
}
