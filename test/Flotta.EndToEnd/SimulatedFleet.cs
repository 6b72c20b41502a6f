using System.Text.Json.Nodes;

namespace Flotta.EndToEnd;

/// <summary><c>flotta-fleet</c> as a process against a control plane.</summary>
internal sealed class SimulatedFleet : IAsyncDisposable
{
    private readonly string _reportFile;

    private SimulatedFleet(RunningProgram program, string reportFile) => (Program, _reportFile) = (program, reportFile);

    public RunningProgram Program { get; }

    public static SimulatedFleet Start(ControlPlane plane, string folder, string scenario, params string[] flags)
    {
        var report = Path.Combine(folder, $"report-{Guid.NewGuid():N}.json");
        return new SimulatedFleet(
            RunningProgram.Start(Programs.Fleet, [scenario, "--data-dir", plane.Folder, "--server", plane.EdgeServer, "--report", report, .. flags]), report);
    }

    public Task IsServedAsync(TimeSpan deadline) => Program.LineAsync(line => line.StartsWith("all ", StringComparison.Ordinal), deadline);

    /// <summary>The report, once the run has come to its end.</summary>
    public async Task<JsonNode> EndsAsync(TimeSpan deadline)
    {
        await Program.EndAsync(deadline);
        Program.ExitCode.ShouldBe(0, Program.Said);
        return JsonNode.Parse(await File.ReadAllTextAsync(_reportFile))!;
    }

    public ValueTask DisposeAsync() => Program.DisposeAsync();

    /// <summary>Statuses of all requests together that are no success, but for 404 before an approval.</summary>
    public static IReadOnlyList<string> Refusals(JsonNode report) =>
        [.. report["requests"]!.AsObject().SelectMany(kind => kind.Value!["statuses"]!.AsObject().Select(status => (Kind: kind.Key, Status: status.Key)))
            .Where(one => one.Status[0] is '4' or '5').Select(one => $"{one.Kind} {one.Status}")];
}
