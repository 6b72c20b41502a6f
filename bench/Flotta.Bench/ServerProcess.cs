using System.Diagnostics;
using System.Globalization;

namespace Flotta.Bench;

/// <summary>One of our programs as a process: its ready line, its CPU time and memory, its end.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly TaskCompletionSource<string> _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServerProcess(Process process) => _process = process;

    public int Id => _process.Id;

    /// <summary>From exec to the ready line.</summary>
    public TimeSpan StartedIn { get; private set; }

    public string Ready { get; private set; } = "";

    public double CpuSeconds => Cpu(Id);

    public double MemoryMiB => Memory(Id);

    public static async Task<ServerProcess> StartAsync(string program, IEnumerable<string> arguments, string log, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(Repository.Program(program)) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment["LOG_LEVEL"] = "warn";
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var server = new ServerProcess(new Process { StartInfo = start, EnableRaisingEvents = true });
        var errors = new StreamWriter(log, append: true) { AutoFlush = true };
        server._process.OutputDataReceived += (_, line) =>
        {
            if (line.Data?.StartsWith("ready ", StringComparison.Ordinal) == true)
                server._ready.TrySetResult(line.Data);
        };
        server._process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is not null)
                errors.WriteLine(line.Data);
        };
        server._process.Exited += (_, _) => server._ready.TrySetException(new InvalidOperationException($"{program} ended; its log is {log}"));
        var clock = Stopwatch.StartNew();
        server._process.Start();
        server._process.BeginOutputReadLine();
        server._process.BeginErrorReadLine();
        server.Ready = await server._ready.Task.WaitAsync(TimeSpan.FromMinutes(1));
        server.StartedIn = clock.Elapsed;
        return server;
    }

    public string Field(string name) => Ready.Split(' ').First(word => word.StartsWith(name + "=", StringComparison.Ordinal))[(name.Length + 1)..];

    public int Port(string name) => new Uri(Field(name)).Port;

    public static double Cpu(int process)
    {
        var stat = File.ReadAllText($"/proc/{process}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / 100.0;
    }

    public static double Memory(int process) =>
        long.Parse(File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))[6..^2].Trim(), CultureInfo.InvariantCulture) / 1024.0;

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            using var term = Process.Start("kill", ["-TERM", Id.ToString(CultureInfo.InvariantCulture)]);
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            try
            {
                await _process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill();
            }
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
