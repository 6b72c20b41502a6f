using System.Text.Json;
using Flotta.EndToEnd;

namespace Flotta.KubernetesTests;

/// <summary>The program that <c>make build</c> leaves looks at an installation on a real cluster.</summary>
public sealed class DoctorTests(RealCluster cluster)
{
    [Fact]
    public async Task It_finds_a_running_installation_well_and_says_what_to_do_about_one_that_nobody_reaches()
    {
        _ = cluster.Server; // says why the test is skipped where there is none
        using var folder = new TemporaryFolder();
        await using var plane = await ClusterControlPlane.StartAsync(cluster, folder.Path);
        var (exitCode, findings) = await LookAsync(plane.Kubeconfig, plane.EdgeServer);
        findings.Where(finding => finding.Health == "error").Select(finding => finding.ToString()).ShouldBeEmpty();
        exitCode.ShouldBe(0);
        foreach (var check in (string[])["definitions", "rights", "certificates", "leases", "edge"])
            findings.ShouldContain(finding => finding.Check == check && finding.Health == "ok", string.Join('\n', findings));

        // Nobody listens there.
        (exitCode, findings) = await LookAsync(plane.Kubeconfig, "127.0.0.1:1");
        exitCode.ShouldBe(1);
        var silent = findings.Single(finding => finding.Health == "error");
        silent.Check.ShouldBe("edge");
        silent.Do.ShouldNotBeEmpty();
    }

    private static async Task<(int ExitCode, IReadOnlyList<Finding> Findings)> LookAsync(string kubeconfig, string edge)
    {
        var (exitCode, output, error) = await RunningProgram.RunAsync(Programs.Flotta, ["doctor", "--kubeconfig", kubeconfig, "--edge", edge, "--output", "json"]);
        using var document = JsonDocument.Parse(output.Length > 0 ? output : throw new InvalidOperationException(error));
        return (exitCode, [.. document.RootElement.EnumerateArray().Select(one => new Finding(Text(one, "check"), Text(one, "health"), Text(one, "what"), Text(one, "do")))]);
    }

    private static string Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private sealed record Finding(string Check, string Health, string What, string Do);
}
