using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Flotta.Cli;

/// <summary>Log lines go to standard error; standard output is for what the verb answers.</summary>
internal static class Logs
{
    /// <summary>Without a level, the original's LOG_LEVEL; a word that it does not know means info.</summary>
    public static ILoggerFactory Create(LogLevel? wanted) =>
        Create(wanted ?? ParseLevel(Environment.GetEnvironmentVariable("LOG_LEVEL") ?? "") ?? LogLevel.Information);

    private static ILoggerFactory Create(LogLevel level) => LoggerFactory.Create(logging => logging
        .SetMinimumLevel(level)
        // The web server says every connection that a stranger breaks; that is news only to who looks for it.
        .AddFilter("Microsoft", level <= LogLevel.Debug ? level : LogLevel.Warning)
        .AddFilter("Microsoft.AspNetCore.Server.Kestrel", level <= LogLevel.Debug ? level : LogLevel.Error)
        .AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace)
        .AddSimpleConsole(line =>
        {
            line.SingleLine = true;
            line.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            line.UseUtcTimestamp = true;
            line.ColorBehavior = LoggerColorBehavior.Disabled;
        }));

    public static LogLevel? ParseLevel(string word) => word.ToUpperInvariant() switch
    {
        "TRACE" => LogLevel.Trace,
        "DEBUG" => LogLevel.Debug,
        "INFO" => LogLevel.Information,
        "WARN" or "WARNING" => LogLevel.Warning,
        "ERROR" or "DPANIC" => LogLevel.Error,
        "PANIC" or "FATAL" => LogLevel.Critical,
        _ => null,
    };
}
