using System.Diagnostics;
using System.Globalization;

namespace Flotta.Bench;

/// <summary>A flotta-agent behind a counting proxy.</summary>
internal sealed class AgentProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly CountingProxy _proxy;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task<int> _waking;

    private AgentProcess(Process process, CountingProxy proxy, long started)
    {
        (_process, _proxy, Started) = (process, proxy, started);
        _waking = WatchAsync();
    }

    public CountingProxy Proxy => _proxy;

    public long Started { get; }

    public double MemoryMiB => ServerProcess.Memory(_process.Id);

    public double CpuSeconds => ServerProcess.Cpu(_process.Id);

    public bool HasEnded => _process.HasExited;

    /// <summary>How often it woke, so far: what happens within a second of another is one time.</summary>
    public int Wakes { get; private set; }

    public long BytesWritten =>
        long.Parse(File.ReadLines($"/proc/{_process.Id}/io").First(line => line.StartsWith("write_bytes:", StringComparison.Ordinal))[12..].Trim(), CultureInfo.InvariantCulture);

    public static AgentProcess Start(Plane plane, string id, string folder, string podman, bool thrifty = false, bool named = false)
    {
        var proxy = new CountingProxy(plane.EdgeServer);
        var start = new ProcessStartInfo(Repository.Program("flotta-agent")) { UseShellExecute = false, RedirectStandardError = true };
        string[] arguments =
        [
            "--server", named ? proxy.Name : proxy.Address, "--ca-root", Path.Combine(plane.Bootstrap, "ca.pem"), "--cert-file", Path.Combine(plane.Bootstrap, "cert.pem"),
            "--key-file", Path.Combine(plane.Bootstrap, "key.pem"), "--client-id", id, "--data-dir", folder, "--podman-socket", podman, .. thrifty ? (string[])["--thrifty"] : [],
        ];
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        var log = new StreamWriter(Path.Combine(Path.GetDirectoryName(folder)!, id + ".log"), append: true) { AutoFlush = true };
        var process = new Process { StartInfo = start };
        process.ErrorDataReceived += (_, line) => log.WriteLine(line.Data);
        var started = Stopwatch.GetTimestamp();
        process.Start();
        process.BeginErrorReadLine();
        return new AgentProcess(process, proxy, started);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _waking;
        if (!_process.HasExited)
        {
            using var term = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
            await term.WaitForExitAsync();
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
        await _proxy.DisposeAsync();
        _stop.Dispose();
    }

    private async Task<int> WatchAsync()
    {
        long before = -1, last = 0;
        while (!_stop.IsCancellationRequested && !_process.HasExited)
        {
            var now = Switches();
            if (now != before && before >= 0)
            {
                if (Stopwatch.GetElapsedTime(last) > TimeSpan.FromSeconds(1))
                    Wakes++;
                last = Stopwatch.GetTimestamp();
            }

            before = now;
            await Task.Delay(TimeSpan.FromMilliseconds(200), _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return Wakes;
    }

    // Whoever waits gives the processor away: a thread that has not run has not done so either.
    private long Switches()
    {
        try
        {
            return Directory.EnumerateDirectories($"/proc/{_process.Id}/task").Sum(task => File.ReadLines(task + "/status")
                .Where(line => line.Contains("voluntary_ctxt_switches", StringComparison.Ordinal))
                .Sum(line => long.Parse(line.Split('\t')[1], CultureInfo.InvariantCulture)));
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
