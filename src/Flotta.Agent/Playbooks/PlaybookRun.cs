using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace Flotta.Agent.Playbooks;

/// <summary>What runs playbooks.</summary>
internal interface IPlaybookRunner
{
    /// <summary>Whether this device has what it takes.</summary>
    bool IsThere { get; }

    /// <summary>A failure to start is an attempt that failed; being cancelled is not an end.</summary>
    Task<Attempt> RunAsync(Execution execution, byte[] playbook, CancellationToken cancellationToken);
}

/// <summary>One attempt: ansible-playbook as a process, with a deadline. However it ends, nothing of it is left running but what it has itself sent away for good.</summary>
internal sealed class PlaybookRun(TimeProvider time) : IPlaybookRunner
{
    private const int MostErrors = 8 << 10;
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(2);

    public bool IsThere => Program is not null;

    /// <summary>Where ansible-playbook is; null when it is not on this machine.</summary>
    private static string? Program => SearchPath.Split(':', StringSplitOptions.RemoveEmptyEntries).Select(folder => Path.Combine(folder, "ansible-playbook")).FirstOrDefault(File.Exists);

    private static string SearchPath => Environment.GetEnvironmentVariable("PATH") is { Length: > 0 } path ? path : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    public async Task<Attempt> RunAsync(Execution execution, byte[] playbook, CancellationToken cancellationToken)
    {
        var mark = execution.Mark!;
        var folder = RunFolder.Of(mark);
        try
        {
            if (Program is not { } program)
                return CannotStart("ansible-playbook is no longer on this device.");
            var me = await Accounts.MineAsync(cancellationToken);
            var user = execution.Options.User is { Length: > 0 } name ? await Accounts.FindAsync(name, cancellationToken) : me;
            if (PlaybookCommand.Problem(execution.Options, me, user) is { } problem)
                return CannotStart(problem);
            var file = RunFolder.Make(folder, playbook, user!.Uid == me.Uid ? null : user);
            var start = new ProcessStartInfo { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
            var arguments = PlaybookCommand.Arguments(execution.Options, me, user, program, file);
            start.FileName = arguments[0];
            foreach (var argument in arguments.Skip(1))
                start.ArgumentList.Add(argument);
            start.Environment.Clear();
            foreach (var (variable, value) in PlaybookCommand.Environment(user, SearchPath, folder, mark))
                start.Environment[variable] = value;
            return await RunAsync(start, PlaybookCommand.DeadlineOf(execution.Options), mark, cancellationToken);
        }
        catch (Exception exception) when (exception is Win32Exception or IOException or UnauthorizedAccessException)
        {
            return CannotStart(exception.Message);
        }
        finally
        {
            Clean(folder);
        }
    }

    private async Task<Attempt> RunAsync(ProcessStartInfo start, TimeSpan deadline, string mark, CancellationToken cancellationToken)
    {
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var events = new TaskEvents();
        var telling = ReadAsync(process.StandardOutput.BaseStream, events);
        var errors = ReadAsync(process.StandardError.BaseStream);
        using var limit = new CancellationTokenSource(deadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await process.WaitForExitAsync(either.Token);
        }
        catch (OperationCanceledException)
        {
            await Marks.EndAsync(mark, time);
            cancellationToken.ThrowIfCancellationRequested();
            await SaidAsync(telling);
            var most = $"It did not end within {deadline.TotalSeconds:0} s and was ended with all that it had started.";
            var last = events.Tasks.Count > 0 ? $" Its last finished task was \"{events.Tasks[^1].Name}\"." : "";
            return new Attempt(Succeeded: false, Reasons.TimedOut, most + last, events.Tasks);
        }

        // A service that the playbook started may hold the pipes for as long as it lives.
        await SaidAsync(telling);
        return PlaybookCommand.Ended(process.ExitCode, events, await SaidAsync(errors) ? await errors : "");
    }

    private async Task<bool> SaidAsync(Task reading)
    {
        try
        {
            await reading.WaitAsync(LastWords, time);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private static async Task ReadAsync(Stream stream, TaskEvents events)
    {
        var buffer = new byte[4096];
        var line = new MemoryStream();
        try
        {
            for (var count = await stream.ReadAsync(buffer); count > 0; count = await stream.ReadAsync(buffer))
            {
                foreach (var one in buffer.AsSpan(0, count))
                {
                    if (one == (byte)'\n')
                    {
                        events.Add(line.Length < TaskEvents.LongestLine ? line.GetBuffer().AsSpan(0, (int)line.Length) : default);
                        line.SetLength(0);
                    }
                    else if (line.Length < TaskEvents.LongestLine)
                    {
                        line.WriteByte(one);
                    }
                }
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // The process is gone, and we are through with it.
        }
    }

    private static async Task<string> ReadAsync(Stream stream)
    {
        var buffer = new byte[4096];
        using var text = new MemoryStream();
        try
        {
            for (var count = await stream.ReadAsync(buffer); count > 0; count = await stream.ReadAsync(buffer))
                text.Write(buffer, 0, (int)Math.Min(count, MostErrors - text.Length));
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // As above.
        }

        return Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length);
    }

    private static Attempt CannotStart(string why) => new(Succeeded: false, Reasons.CannotStart, PlaybookCommand.Cut(why), []);

    private static void Clean(string folder)
    {
        try
        {
            RunFolder.Remove(folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Somebody is still writing there; it is private, and removed with the machine's temporary files.
        }
    }
}
