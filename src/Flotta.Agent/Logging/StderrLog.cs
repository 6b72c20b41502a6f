using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Logging;

/// <summary>One line an entry on stderr, for people: time, level, who, what. The console logger of the framework costs more memory than the rest of the agent's logging.</summary>
internal sealed class StderrLog(LogLevel least, TimeProvider time, TextWriter writer) : ILoggerFactory
{
    private readonly Lock _lock = new();

    public ILogger CreateLogger(string categoryName) => new Category(this, categoryName[(categoryName.LastIndexOf('.') + 1)..]);

    public void AddProvider(ILoggerProvider provider)
    {
        // stderr is all there is.
    }

    public void Dispose()
    {
        // stderr is not ours to close.
    }

    private void Write(LogLevel level, string category, string text, Exception? exception)
    {
        var line = $"{time.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss.fff'Z'} {Word(level)} {category}: {OneLine(text)}";
        if (exception is not null)
            line += level <= LogLevel.Debug || least <= LogLevel.Debug ? $"\n{exception}" : $" ({exception.GetType().Name}: {OneLine(exception.Message)})";
        try
        {
            lock (_lock)
                writer.WriteLine(line);
        }
        catch (IOException)
        {
            // Nobody reads it any more: no reason to stop working.
        }
    }

    // What comes from outside must not be able to write lines of its own.
    private static string OneLine(string text) => text.AsSpan().ContainsAny('\n', '\r', '\u001b') ? text.ReplaceLineEndings(" ").Replace('\u001b', '?') : text;

    private static string Word(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info ",
        LogLevel.Warning => "warn ",
        _ => "error",
    };

    private sealed class Category(StderrLog log, string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= log.Least && logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                log.Write(logLevel, name, formatter(state, exception), exception);
        }
    }

    private LogLevel Least => least;
}
