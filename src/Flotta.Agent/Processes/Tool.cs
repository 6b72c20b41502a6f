using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace Flotta.Agent.Processes;

/// <summary>How a tool of the system ended.</summary>
internal sealed record ToolResult(int ExitCode, string Output, string Errors)
{
    public bool IsOk => ExitCode == 0;

    public string Problem => Errors.Length > 0 ? Errors : $"it ended with code {ExitCode}";
}

/// <summary>Runs a tool of the system with a list of arguments (never through a shell), a deadline, and a bound on what it may say.</summary>
internal static class Tool
{
    private const int Most = 64 << 10;

    /// <param name="environment">Instead of ours.</param>
    /// <summary>Code -1 when it is not there or did not end in time.</summary>
    public static async Task<ToolResult> RunAsync(string program, IEnumerable<string> arguments, string? input, TimeSpan deadline, CancellationToken cancellationToken, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        if (environment is not null)
            start.Environment.Clear();
        foreach (var (name, value) in environment ?? new Dictionary<string, string>(StringComparer.Ordinal))
            start.Environment[name] = value;
        start.Environment["LC_ALL"] = "C";
        start.Environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin";
        try
        {
            using var process = Process.Start(start)!;
            using var limit = new CancellationTokenSource(deadline, TimeProvider.System);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            try
            {
                var output = ReadAsync(process.StandardOutput.BaseStream);
                var errors = ReadAsync(process.StandardError.BaseStream);
                if (input is not null)
                    await process.StandardInput.WriteAsync(input.AsMemory(), either.Token);
                process.StandardInput.Close();
                await process.WaitForExitAsync(either.Token);
                return new ToolResult(process.ExitCode, await output, (await errors).Trim().ReplaceLineEndings(" "));
            }
            catch (Exception exception) when (exception is OperationCanceledException or IOException)
            {
                process.Kill(entireProcessTree: true);
                cancellationToken.ThrowIfCancellationRequested();
                return new ToolResult(-1, "", exception is IOException ? exception.Message : $"{program} did not end within {deadline.TotalSeconds:0} s");
            }
        }
        catch (Win32Exception exception)
        {
            return new ToolResult(-1, "", $"{program} cannot be run: {exception.Message}");
        }
    }

    private static async Task<string> ReadAsync(Stream stream)
    {
        var buffer = new byte[4096];
        using var text = new MemoryStream();
        for (var count = await stream.ReadAsync(buffer); count > 0; count = await stream.ReadAsync(buffer))
            text.Write(buffer, 0, (int)Math.Min(count, Most - text.Length));
        return Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length);
    }
}
