using System.Globalization;

namespace Flotta.Wire;

/// <summary>What the command <c>logs</c> asks a device for, as the arguments of that command.</summary>
/// <param name="Stream">Under which name the lines are sent.</param>
/// <param name="Container">Null: all containers of the workload.</param>
/// <param name="Since">No lines older than this; null: all that are kept.</param>
/// <param name="Tail">The last so many lines of each container; null: all.</param>
/// <param name="Follow">Go on with what is written later.</param>
public sealed record LogArguments(string Stream, string Workload, string? Container, TimeSpan? Since, int? Tail, bool Follow)
{
    public IReadOnlyDictionary<string, string> ToArguments()
    {
        var arguments = new Dictionary<string, string>(StringComparer.Ordinal) { ["stream"] = Stream, ["workload"] = Workload };
        if (Container is not null)
            arguments["container"] = Container;
        if (Since is { } since)
            arguments["since"] = ((long)since.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        if (Tail is { } tail)
            arguments["tail"] = tail.ToString(CultureInfo.InvariantCulture);
        if (Follow)
            arguments["follow"] = "true";
        return arguments;
    }

    /// <summary>Null where the arguments are none of these.</summary>
    public static LogArguments? From(IReadOnlyDictionary<string, string>? arguments)
    {
        if (arguments?.GetValueOrDefault("stream") is not { Length: > 0 and <= 128 } stream || !stream.All(char.IsAsciiLetterOrDigit)
            || arguments.GetValueOrDefault("workload") is not { Length: > 0 and <= 253 } workload)
            return null;
        return new LogArguments(
            stream,
            workload,
            arguments.GetValueOrDefault("container") is { Length: > 0 } container ? container : null,
            Number(arguments.GetValueOrDefault("since")) is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            Number(arguments.GetValueOrDefault("tail")),
            string.Equals(arguments.GetValueOrDefault("follow"), "true", StringComparison.Ordinal));
    }

    private static int? Number(string? text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
