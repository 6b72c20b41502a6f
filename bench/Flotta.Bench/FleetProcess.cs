using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Flotta.Bench;

/// <summary>flotta-fleet against one server; the answer is its report.</summary>
internal sealed class FleetProcess(string server, string bootstrap, string state, int serverProcess, string log)
{
    public Task<JsonNode> RunAsync(CancellationToken cancellationToken, params string[] arguments) => RunAsync(null, cancellationToken, arguments);

    /// <param name="atLine">Told of each progress line.</param>
    public async Task<JsonNode> RunAsync(Action<string>? atLine, CancellationToken cancellationToken, params string[] arguments)
    {
        var start = new ProcessStartInfo(Repository.Program("flotta-fleet")) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])
            [
                .. arguments, "--server", server, "--ca", Path.Combine(bootstrap, "ca.pem"), "--cert", Path.Combine(bootstrap, "cert.pem"), "--key", Path.Combine(bootstrap, "key.pem"),
                "--state", state, "--server-process", $"{serverProcess}",
            ])
        {
            start.ArgumentList.Add(argument);
        }

        using var fleet = new Process { StartInfo = start };
        await using var errors = new StreamWriter(log, append: true) { AutoFlush = true };
        fleet.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is null)
                return;
            errors.WriteLine(line.Data);
            atLine?.Invoke(line.Data);
        };
        fleet.Start();
        fleet.BeginErrorReadLine();
        try
        {
            var report = await fleet.StandardOutput.ReadToEndAsync(cancellationToken);
            await fleet.WaitForExitAsync(cancellationToken);
            return JsonNode.Parse(report) ?? throw new InvalidOperationException($"flotta-fleet said nothing; its log is {log}");
        }
        finally
        {
            if (!fleet.HasExited)
                fleet.Kill();
        }
    }
}
