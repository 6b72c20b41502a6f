using System.Globalization;
using System.Text.RegularExpressions;

namespace Flotta.EndToEnd;

/// <summary><c>make run</c> as a person runs it, and what is left of it when it is gone.</summary>
public sealed partial class MakeRunTests(ITestOutputHelper log)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private readonly string[] bridgesBefore = Bridges();

    [Fact]
    public async Task It_ends_with_a_container_that_answers_stops_on_interrupt_and_resumes_with_the_same_identities()
    {
        using var home = new TemporaryFolder();
        var ports = new Ports();

        string authority, device, container;
        await using (var run = Start(home.Path, ports))
        {
            await UpAsync(run);
            log.WriteLine(run.Said);
            run.Said.ShouldContain("Try next");
            var milliseconds = int.Parse(TimeToAnswer().Match(run.Said).Groups["ms"].Value, CultureInfo.InvariantCulture);
            milliseconds.ShouldBeInRange(1, 10_000, "from ready to the container's answer");
            (authority, device, container) = await IdentitiesAsync(home.Path, run);
            run.Interrupt();
            await run.EndAsync(Patience);
            run.ExitCode.ShouldBe(0, run.Said);
        }

        await NothingIsLeftAsync(home.Path, TimeSpan.FromSeconds(5));

        await using (var again = Start(home.Path, ports))
        {
            await UpAsync(again);
            (await IdentitiesAsync(home.Path, again)).ShouldBe((authority, device, container));

            // Any part may be killed: it comes back, and the container is still the same one.
            foreach (var part in new[] { "flotta-agent", "flotta", "podman" })
            {
                var victim = ProcessesOf(home.Path).First(process => process.Program == part).Id;
                log.WriteLine($"kill -9 {part} ({victim})");
                System.Diagnostics.Process.GetProcessById(victim).Kill();
                await again.LineAsync(line => line.Contains($"{part} ended unexpectedly", StringComparison.Ordinal), TimeSpan.FromSeconds(20));
            }

            await Eventually.TrueAsync(async () => await IdentitiesAsync(home.Path, again) == (authority, device, container), TimeSpan.FromSeconds(60), () => again.Said);
            await Web.AnswersAsync(ports.Hello, TimeSpan.FromSeconds(10));

            // Ctrl-C, and the impatient second one.
            again.Interrupt();
            await Task.Delay(TimeSpan.FromMilliseconds(300));
            again.Interrupt();
            await again.EndAsync(Patience);
        }

        await NothingIsLeftAsync(home.Path, TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task Killed_without_a_word_it_still_leaves_nothing_behind()
    {
        using var home = new TemporaryFolder();
        await using var run = Start(home.Path, new Ports());
        await UpAsync(run);
        run.Kill();
        await run.EndAsync(Patience);
        await NothingIsLeftAsync(home.Path, TimeSpan.FromSeconds(40));
    }

    [Fact]
    public async Task A_busy_port_is_named_together_with_what_to_do()
    {
        using var home = new TemporaryFolder();
        var ports = new Ports();
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, ports.Kube);
        taken.Start();
        await using var run = Start(home.Path, ports);
        await run.EndAsync(Patience);
        run.ExitCode.ShouldBe(1, run.Said);
        run.Said.ShouldContain(ports.Kube.ToString(CultureInfo.InvariantCulture));
        run.Said.ShouldContain("FLOTTA_KUBE_PORT");
        await NothingIsLeftAsync(home.Path, TimeSpan.FromSeconds(5));
    }

    private static string[] Bridges() => [.. Directory.GetDirectories("/sys/class/net").Select(folder => Path.GetFileName(folder)).Where(name => name.StartsWith("podman", StringComparison.Ordinal))];

    private static RunningProgram Start(string home, Ports ports) => RunningProgram.Start(
        Path.Combine(Programs.Root, "scripts", "run.sh"),
        [],
        new Dictionary<string, string>
        {
            ["FLOTTA_HOME"] = home,
            ["FLOTTA_KUBE_PORT"] = Text(ports.Kube),
            ["FLOTTA_EDGE_PORT"] = Text(ports.Edge),
            ["FLOTTA_METRICS_PORT"] = Text(ports.Metrics),
            ["FLOTTA_HELLO_PORT"] = Text(ports.Hello),
        });

    private static Task UpAsync(RunningProgram run) => run.LineAsync(line => line.StartsWith("Ctrl-C stops all of it", StringComparison.Ordinal), Patience);

    private static async Task<(string Authority, string Device, string Container)> IdentitiesAsync(string home, RunningProgram run)
    {
        var socket = Socket().Match(run.Said).Groups["socket"].Value;
        var (_, device, _) = await RunningProgram.RunAsync(
            "kubectl", ["--kubeconfig", Path.Combine(home, "control-plane", "kubeconfig"), "get", "edgedevices", "-o", "jsonpath={.items[*].metadata.uid} {.items[*].status.certificate.serial}"]);
        var (_, container, _) = await RunningProgram.RunAsync("podman", ["--url", "unix://" + socket, "ps", "-a", "--no-trunc", "--filter", "label=project-flotta.io/managed=true", "--format", "{{.ID}}"]);
        return (await File.ReadAllTextAsync(Path.Combine(home, "control-plane", "bootstrap", "ca.pem")), device, container);
    }

    private async Task NothingIsLeftAsync(string home, TimeSpan deadline)
    {
        await Eventually.TrueAsync(
            async () => !ProcessesOf(home).Any() && !(await File.ReadAllTextAsync("/proc/self/mountinfo")).Contains(home, StringComparison.Ordinal),
            deadline,
            () => $"Processes: {string.Join(", ", ProcessesOf(home))}; mounts: {string.Join('\n', File.ReadLines("/proc/self/mountinfo").Where(line => line.Contains(home, StringComparison.Ordinal)))}");
        // The machine may have bridges of its own; none is to be added.
        Bridges().Except(bridgesBefore, StringComparer.Ordinal).ShouldBeEmpty("a bridge of podman's is left");
        // A run that never came to the device has none.
        if (Path.Combine(home, "device", "device-id") is var named && File.Exists(named))
            (await RunningProgram.RunAsync("nft", ["list", "table", "inet", Site.FirewallTable((await File.ReadAllTextAsync(named)).Trim())])).ExitCode.ShouldNotBe(0, "the device's firewall table is left");
    }

    private static IEnumerable<(int Id, string Program)> ProcessesOf(string home)
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc").Where(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out _)))
        {
            string command;
            try
            {
                command = File.ReadAllText(Path.Combine(folder, "cmdline")).Replace('\0', ' ');
            }
            catch (IOException)
            {
                continue; // it ended meanwhile
            }

            if (command.Contains(home, StringComparison.Ordinal) && !command.Contains("run.sh", StringComparison.Ordinal))
                yield return (int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture), Path.GetFileName(command.Split(' ')[0]));
        }
    }

    private static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"podman --url unix://(?<socket>\S+) ps", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Socket();

    [GeneratedRegex(@"container's answer: (?<ms>\d+) ms", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex TimeToAnswer();

    private sealed record Ports
    {
        public int Kube { get; } = FreePort.Next();

        public int Edge { get; } = FreePort.Next();

        public int Metrics { get; } = FreePort.Next();

        public int Hello { get; } = FreePort.Next();
    }
}
