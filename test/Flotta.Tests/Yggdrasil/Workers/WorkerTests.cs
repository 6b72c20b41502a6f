using System.Text;
using Flotta.Agent.Logging;
using Flotta.Tests.Agent;
using Flotta.Yggdrasil.Grpc;
using Flotta.Yggdrasil.Settings;
using Flotta.Yggdrasil.Transport;
using Flotta.Yggdrasil.Workers;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Yggdrasil.Workers;

public sealed class WorkerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("flotta-workers-").FullName;
    private readonly FakeTimeProvider _time = new();
    private readonly StringWriter _log = new();
    private readonly CancellationTokenSource _stop = new();

    private string Starts => Path.Combine(_folder, "starts");

    private string Workers => Path.Combine(_folder, "workers");

    private string Pids => Path.Combine(_folder, "run");

    private string Script => Path.Combine(_folder, "w.sh");

    [Fact]
    public void A_worker_file_is_read_as_the_original_does()
    {
        var file = WorkerFile.Parse("exec = \"/usr/libexec/w --flag  x\"\nprotocol = \"grpc\"\nenv = [\"HOME=/var/home/flotta\", \"PATH=/evil\", \"YGG_SOCKET_ADDR=unix:@evil\", \"A=b=c\"]\nother = 1\n", "/etc/yggdrasil/workers/device-worker.toml");
        file.Name.ShouldBe("device-worker");
        file.Command.ShouldBe(["/usr/libexec/w", "--flag", "x"]);
        var environment = WorkerEnvironment.Of(file, SocketAddress.Parse("@d")!, "/etc/yggdrasil", "info", "till-07", name => name == "HTTPS_PROXY" ? "http://proxy" : null);
        environment.ShouldBe(new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            ["YGG_CONFIG_DIR"] = "/etc/yggdrasil",
            ["YGG_LOG_LEVEL"] = "INFO",
            ["YGG_CLIENT_ID"] = "till-07",
            ["YGG_SOCKET_ADDR"] = "unix:@d",
            ["HTTPS_PROXY"] = "http://proxy",
            ["HOME"] = "/var/home/flotta",
            ["A"] = "b=c",
        }, ignoreOrder: true);
    }

    [Theory]
    [InlineData("protocol = \"grpc\"")]
    [InlineData("exec = \"relative\"")]
    [InlineData("exec = \"/bin/w\"\nprotocol = \"dbus\"")]
    [InlineData("exec = \"/bin/w\"\nenv = [1]")]
    [InlineData("exec = \"/bin/w\"\nenv = [\"=x\"]")]
    public void One_that_makes_no_sense_is_one_sentence(string text) => Should.Throw<SettingsException>(() => WorkerFile.Parse(text, "/w/x.toml")).Message.ShouldStartWith("/w/x.toml: ");

    [Fact]
    public void Pauses_grow_to_a_minute_never_end_and_are_forgiven_by_a_long_run()
    {
        var pause = new RestartPause(new Random(1));
        var first = Enumerable.Range(0, 12).Select(_ => pause.After(TimeSpan.FromSeconds(2))).ToList();
        first[0].ShouldBeLessThanOrEqualTo(TimeSpan.FromSeconds(1));
        first.ShouldAllBe(one => one <= TimeSpan.FromMinutes(1));
        first[^1].ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(30));
        pause.After(TimeSpan.FromMinutes(1)).ShouldBeLessThanOrEqualTo(TimeSpan.FromSeconds(1));
        pause.After(TimeSpan.Zero, asked: TimeSpan.FromHours(1)).ShouldBe(TimeSpan.FromHours(1));
    }

    [Fact]
    public async Task A_line_without_end_is_cut_and_the_rest_is_still_read()
    {
        var lines = new List<string>();
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(new string('x', 200_000) + "\nafter\n\nlast"));
        await WorkerProcess.LinesAsync(stream, lines.Add);
        lines.Count.ShouldBe(3);
        lines[0].Length.ShouldBe((8 << 10) + 1);
        lines[1..].ShouldBe(["after", "last"]);
    }

    [Fact]
    public async Task Processes_follow_the_files_and_come_back_when_they_end()
    {
        WriteProgram();
        WriteWorker("bad", "7");
        WriteWorker("not", "\"/bin/false\"");
        WriteWorker("one", $"\"{Script}\"");
        var running = RunAsync();
        await UntilAsync(() => Started().Length == 1);
        File.ReadAllText(Starts).ShouldContain(" till-07 \n", customMessage: "HOME is not inherited");
        var pid = int.Parse(File.ReadAllText(Path.Combine(Pids, "one.pid")).Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);

        System.Diagnostics.Process.GetProcessById(pid).Kill();
        await UntilAsync(() => Started().Length == 2);
        WriteWorker("one", $"\"{Script} again\"");
        await UntilAsync(() => Started().Length == 3);
        File.Delete(Path.Combine(Workers, "one.toml"));
        await UntilAsync(() => Directory.GetFiles(Pids).Length == 0);
        await StopAsync(running);
    }

    [Fact]
    public async Task A_worker_whose_program_is_not_there_yet_is_started_once_it_is()
    {
        WriteWorker("one", $"\"{Script}\"");
        var running = RunAsync();
        await UntilAsync(() => _log.ToString().Contains("cannot be started", StringComparison.Ordinal));
        WriteProgram();
        await UntilAsync(() => Started().Length == 1);
        await StopAsync(running);
    }

    [Fact]
    public async Task A_worker_whose_pid_cannot_be_written_down_is_looked_after_all_the_same()
    {
        File.WriteAllText(Pids, "no folder");
        WriteProgram();
        WriteWorker("one", $"\"{Script}\"");
        var running = RunAsync();
        await UntilAsync(() => Started().Length == 1);
        await UntilAsync(() => _log.ToString().Contains("cannot be written down", StringComparison.Ordinal));
        System.Diagnostics.Process.GetProcessById(Started()[0]).Kill();
        await UntilAsync(() => _log.ToString().Contains("it ended with code", StringComparison.Ordinal));
        await UntilAsync(() => Started().Length == 2);
        await StopAsync(running);
    }

    [Fact]
    public void A_pid_file_of_another_life_names_nobody()
    {
        var path = Path.Combine(_folder, "w.pid");
        PidFile.Write(path, Environment.ProcessId);
        PidFile.Running(path).ShouldBe(Environment.ProcessId);
        File.WriteAllText(path, $"{Environment.ProcessId} 1\n");
        PidFile.Running(path).ShouldBeNull();
        File.WriteAllText(path, "nonsense");
        PidFile.Running(path).ShouldBeNull();
    }

    public void Dispose()
    {
        _stop.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private Task RunAsync() => new WorkerFolder(
        Workers, Pids, new HashSet<string>(StringComparer.Ordinal) { "not" },
        file => WorkerEnvironment.Of(file, SocketAddress.Parse("@d")!, _folder, "info", "till-07", _ => null),
        new StderrLog(LogLevel.Information, _time, TextWriter.Synchronized(_log)).CreateLogger<WorkerFolder>(), _time).RunAsync(_stop.Token);

    private async Task StopAsync(Task running)
    {
        await _stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => running);
        Started().ShouldAllBe(one => PidFile.StartedAt(one) == null);
    }

    /// <summary>The pid of each start.</summary>
    private int[] Started() => File.Exists(Starts) ? [.. File.ReadAllLines(Starts).Select(line => int.Parse(line.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture))] : [];

    private void WriteProgram()
    {
        File.WriteAllText(Script + ".new", $"#!/bin/sh\necho \"$$ $YGG_CLIENT_ID $HOME\" >> {Starts}\nexec sleep 600\n");
        File.SetUnixFileMode(Script + ".new", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.Move(Script + ".new", Script);
    }

    private void WriteWorker(string name, string exec)
    {
        Directory.CreateDirectory(Workers);
        File.WriteAllText(Path.Combine(Workers, name + ".toml"), $"exec = {exec}\n");
    }

    private Task UntilAsync(Func<bool> condition) => Until.TrueAsync(() =>
    {
        _time.Advance(TimeSpan.FromMilliseconds(200));
        return condition();
    });
}
