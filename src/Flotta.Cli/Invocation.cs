using System.CommandLine;

namespace Flotta.Cli;

/// <summary>Runs a verb: 0 when it ended as it should (Ctrl-C and SIGTERM included), 1 when it failed, 2 when it was called wrongly. One sentence says why.</summary>
internal static class Invocation
{
    // An Edge API drains for up to 10 s, answers what is under way for up to 15, and writes what it has taken; a pod is given 60.
    private static readonly TimeSpan LongestStop = TimeSpan.FromSeconds(45);

    public static async Task<int> RunAsync(RootCommand root, string[] args)
    {
        var parsed = root.Parse(args);
        if (parsed.Action is System.CommandLine.Invocation.ParseErrorAction) // and not help, which needs no required flag
        {
            foreach (var error in parsed.Errors)
                await Console.Error.WriteLineAsync($"error: {error.Message}");
            var verb = parsed.CommandResult.Command is RootCommand ? "" : $" {parsed.CommandResult.Command.Name}";
            await Console.Error.WriteLineAsync($"'flotta{verb} --help' shows how it is called.");
            return 2;
        }

        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = LongestStop });
        }
        catch (OperationCanceledException)
        {
            return 0;
        }
        catch (Exception exception)
        {
            await Console.Error.WriteLineAsync("error: " + Failure.Explain(exception));
            return 1;
        }
    }
}
