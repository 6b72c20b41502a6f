using System.Text.RegularExpressions;
using Flotta.EndToEnd;
using Flotta.Resources;

namespace Flotta.KubernetesTests;

/// <summary>The programs that <c>make build</c> leaves, one role each, on a real kube-apiserver.</summary>
internal sealed partial class ClusterControlPlane : ControlPlane
{
    private readonly List<RunningProgram> roles = [];
    private string edgePort = "0";

    private ClusterControlPlane(string folder)
        : base(folder)
    {
    }

    public override string EdgeServer => "127.0.0.1:" + edgePort;

    public static async Task<ClusterControlPlane> StartAsync(RealCluster cluster, string folder)
    {
        var plane = new ClusterControlPlane(folder);
        await File.WriteAllTextAsync(plane.Kubeconfig, cluster.Kubeconfig);
        // Each role with the rights of its service account in deploy/kubernetes, and no other.
        var (operatorAccess, edgeAccess) = (Path.Combine(folder, "operator.kubeconfig"), Path.Combine(folder, "edge-api.kubeconfig"));
        await File.WriteAllTextAsync(operatorAccess, cluster.OperatorKubeconfig);
        await File.WriteAllTextAsync(edgeAccess, cluster.EdgeApiKubeconfig);
        var (_, definitions, _) = await RunningProgram.RunAsync(Programs.Flotta, ["crds"]);
        await plane.ApplyAsync(definitions);
        await plane.KubectlAsync(["wait", "--for=condition=Established", "crd", .. Definitions.All.Select(definition => definition.Metadata.Name)]);
        await plane.TryKubectlAsync("create", "namespace", "flotta");

        plane.roles.Add(RunningProgram.Start(Programs.Flotta, ["operator", "--kubeconfig", operatorAccess, "--metrics-port", "0"]));
        plane.roles.Add(RunningProgram.Start(Programs.Flotta, ["edge-api", "--kubeconfig", edgeAccess, "--metrics-port", "0", "--edge-port", "0"]));
        foreach (var role in plane.roles)
        {
            var ready = await role.LineAsync(line => line.StartsWith("ready ", StringComparison.Ordinal), TimeSpan.FromSeconds(60));
            if (EdgePort().Match(ready) is { Success: true } match)
                plane.edgePort = match.Groups["port"].Value;
        }

        await BootstrapFiles.FetchAsync(plane);
        return plane;
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var role in roles)
            await role.DisposeAsync();
    }

    [GeneratedRegex(@"edge=https://[^ ]*:(?<port>\d+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex EdgePort();
}
