using System.Text.RegularExpressions;

namespace Flotta.EndToEnd;

/// <summary><c>flotta up</c> as a process of its own, on free ports that stay the same over restarts.</summary>
internal sealed partial class EmbeddedControlPlane : ControlPlane
{
    private readonly string[] flags;
    private readonly IReadOnlyDictionary<string, string>? environment;
    private string[] ports = ["0", "0", "0"];

    private EmbeddedControlPlane(string folder, string[] flags, IReadOnlyDictionary<string, string>? environment)
        : base(folder)
    {
        this.flags = flags;
        this.environment = environment;
        Program = null!;
    }

    public override string EdgeServer => "127.0.0.1:" + ports[1];

    public Uri Metrics => new($"http://127.0.0.1:{ports[2]}/");

    public RunningProgram Program { get; private set; }

    public static Task<EmbeddedControlPlane> StartAsync(string folder, params string[] flags) => StartAsync(folder, null, flags);

    public static async Task<EmbeddedControlPlane> StartAsync(string folder, IReadOnlyDictionary<string, string>? environment, params string[] flags)
    {
        var plane = new EmbeddedControlPlane(folder, flags, environment);
        await plane.StartAgainAsync();
        return plane;
    }

    public async Task StartAgainAsync()
    {
        Program = RunningProgram.Start(
            Programs.Flotta,
            ["up", "--data-dir", Folder, "--kube-port", ports[0], "--edge-port", ports[1], "--metrics-port", ports[2], .. flags],
            environment);
        var ready = await Program.LineAsync(line => line.StartsWith("ready ", StringComparison.Ordinal), TimeSpan.FromSeconds(60));
        ports = [.. PortAtTheEnd().Matches(ready).Select(match => match.Groups["port"].Value)];
        ports.Length.ShouldBe(3, ready);
    }

    /// <summary>As a service manager stops it.</summary>
    public async Task StopAsync()
    {
        Program.Terminate();
        await Program.EndAsync(TimeSpan.FromSeconds(30));
        await Program.DisposeAsync();
    }

    public async Task KillAsync()
    {
        Program.Kill();
        await Program.DisposeAsync();
    }

    public override ValueTask DisposeAsync() => Program.DisposeAsync();

    [GeneratedRegex(@"=https?://[^ ]*:(?<port>\d+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex PortAtTheEnd();
}
