namespace Flotta.EndToEnd;

/// <summary><c>flotta logs</c>: from a container on podman to a person's terminal.</summary>
public sealed class LogsJourneyTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_person_with_the_right_reads_and_follows_what_a_container_says_and_others_are_told_why_not()
    {
        await using var site = await Site.StartAsync("--auto-approve");
        await using var device = site.Device("till-07");
        await device.IsAsync("Connected", "True");
        await site.Plane.ApplyAsync("""
            apiVersion: management.project-flotta.io/v1alpha1
            kind: EdgeWorkload
            metadata: { name: teller }
            spec:
              device: till-07
              type: pod
              pod:
                spec:
                  terminationGracePeriodSeconds: 1
                  containers:
                    - name: voice
                      image: localhost/flotta-hello:1
                      command: ["/bin/busybox", "sh", "-c", "echo first; echo second; i=0; while true; do i=$((i+1)); echo tick $i; busybox sleep 1; done"]
            """);
        await device.WorkloadIsAsync("teller", "Running");

        // The administrator's kubeconfig has a certificate; Alice's has a token, and a binding to view; Bob's has no binding.
        string[] asAdministrator = ["--kubeconfig", site.Plane.Kubeconfig];
        var (code, output, said) = await LogsAsync(["till-07", "teller", .. asAdministrator]);
        code.ShouldBe(0, said);
        output.ShouldStartWith("first\nsecond\ntick 1");
        (code, output, said) = await LogsAsync(["till-07", "teller", "--tail", "1", "--prefix", "-c", "voice", .. asAdministrator]);
        code.ShouldBe(0, said);
        output.ShouldStartWith("[voice] tick ");
        output.ShouldNotContain('\n');

        await site.Plane.KubectlAsync("create", "rolebinding", "lookers", "--clusterrole=view", "--user=alice");
        var alice = await KubeconfigAsync(site, "alice");
        await using (var following = RunningProgram.Start(Programs.Flotta, ["logs", "till-07", "teller", "-f", "--since", "5s", "--kubeconfig", alice]))
        {
            var first = await following.LineAsync(line => line.StartsWith("tick ", StringComparison.Ordinal), Patience);
            var number = int.Parse(first[5..], System.Globalization.CultureInfo.InvariantCulture);
            await following.LineAsync(line => line == $"tick {number + 5}", Patience);
            following.Interrupt();
            await following.EndAsync(Patience);
            following.ExitCode.ShouldBe(0, following.Said);
        }

        // It ended on the device too: there is room for two again.
        (code, _, said) = await LogsAsync(["till-07", "teller", "--tail", "1", "--kubeconfig", alice]);
        code.ShouldBe(0, said);

        await RefusedAsync("cannot get resource \"edgedevices/logs\"", ["till-07", "teller", "--kubeconfig", await KubeconfigAsync(site, "bob")]);
        await RefusedAsync("no workload other is on this device; these are: teller", ["till-07", "other", .. asAdministrator]);
        await RefusedAsync("its containers are: voice", ["till-07", "teller", "-c", "none", .. asAdministrator]);
        await RefusedAsync("there is no EdgeDevice till-08", ["till-08", "teller", .. asAdministrator]);
    }

    private static async Task RefusedAsync(string why, string[] arguments)
    {
        var (code, _, said) = await LogsAsync(arguments);
        code.ShouldBe(1, said);
        said.ShouldContain(why);
    }

    private static Task<(int ExitCode, string Output, string Said)> LogsAsync(string[] arguments) => RunningProgram.RunAsync(Programs.Flotta, ["logs", .. arguments]);

    private static async Task<string> KubeconfigAsync(Site site, string user)
    {
        var (code, output, said) = await RunningProgram.RunAsync(Programs.Flotta, ["kubeconfig", "--data-dir", site.Plane.Folder, "--user", user]);
        code.ShouldBe(0, said);
        var path = Path.Combine(site.Plane.Folder, user + ".kubeconfig");
        await File.WriteAllTextAsync(path, output);
        return path;
    }
}
