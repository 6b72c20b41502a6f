using Flotta.EndToEnd;
using Flotta.Tests.Deploy;

namespace Flotta.KubernetesTests;

/// <summary>What a person applies is what a real API server takes, whole and without a warning.</summary>
[Collection("webhooks")] // whose tests put another address into the configuration
public sealed class DeploymentTests(RealCluster cluster)
{
    // This API server is older than these; every cluster that is still supported has them.
    private static readonly string[] TooNew = ["policy/v1"];

    public static TheoryData<string> Ways => ["kustomize", "helm", "ingress-nginx", "load-balancer"];

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_real_API_server_takes_every_object(string way)
    {
        using var folder = new TemporaryFolder();
        var kubeconfig = Path.Combine(folder.Path, "kubeconfig");
        await File.WriteAllTextAsync(kubeconfig, cluster.Kubeconfig, TestContext.Current.CancellationToken);
        var known = (await RenderAsync(way)).Split("\n---\n").Where(text => ManifestText.Read(text) is [var thing] && !TooNew.Contains((string)thing["apiVersion"])).ToList();
        known.ShouldNotBeEmpty();
        var file = Path.Combine(folder.Path, "all.yaml");
        await File.WriteAllTextAsync(file, string.Join("\n---\n", known), TestContext.Current.CancellationToken);

        var (exitCode, output, said) = await RunningProgram.RunAsync(
            "kubectl", ["--kubeconfig", kubeconfig, "--cache-dir", folder.Sub("cache"), "apply", "--dry-run=server", "--server-side", "--force-conflicts", "--validate=true", "-f", file]);

        exitCode.ShouldBe(0, said);
        output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(known.Count, said);
        // kubectl's own bookkeeping of who applied before may lose a race with another test's write, and says that it tries again.
        said.Split('\n').Where(line => line.StartsWith("Warning", StringComparison.Ordinal) && !line.Contains("failed to migrate", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    private static async Task<string> RenderAsync(string way)
    {
        var deploy = Path.Combine(Flotta.Tests.Repository.Root, "deploy", "kubernetes");
        if (way == "helm") return Chart.RenderText("flotta");
        if (way != "kustomize") return await File.ReadAllTextAsync(Path.Combine(deploy, "expose", way + ".yaml"));
        var (exitCode, output, said) = await RunningProgram.RunAsync("kubectl", ["kustomize", deploy]);
        exitCode.ShouldBe(0, said);
        return output;
    }
}
