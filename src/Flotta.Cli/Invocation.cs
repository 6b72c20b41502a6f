using System.CommandLine;
using System.CommandLine.Parsing;

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
            var verbs = "";
            for (var verb = parsed.CommandResult; verb is { Command: not RootCommand }; verb = verb.Parent as CommandResult)
                verbs = $" {verb.Command.Name}{verbs}";
            await Console.Error.WriteLineAsync($"'flotta{verbs} --help' shows how it is called.");
            return 2;
        }

        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = LongestStop });
        }
        // A connection that did not come about in time looks like an end that somebody asked for, but for its cause.
        catch (OperationCanceledException exception) when (exception.InnerException is not TimeoutException)
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
