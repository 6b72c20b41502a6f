using Microsoft.Extensions.Logging;

namespace Flotta.Yggdrasil.Transport;

/// <summary>Says once when the server goes away and once when it is back, however many loops notice.</summary>
internal sealed partial class Reachability(ILogger logger)
{
    private readonly Lock _lock = new();
    private bool? _reachable;

    public event Action<bool>? Changed;

    public void Note(string server, Answer answer)
    {
        if (IsNews(server, answer))
            Changed?.Invoke(answer.Problem is null);
    }

    private bool IsNews(string server, Answer answer)
    {
        lock (_lock)
        {
            var reachable = answer.Problem is null;
            if (_reachable == reachable)
                return false;
            if (reachable)
                LogReached(logger, server);
            else
                LogLost(logger, server, answer.Problem!);
            _reachable = reachable;
            return true;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "server {Server} reached")]
    private static partial void LogReached(ILogger logger, string server);

    [LoggerMessage(Level = LogLevel.Warning, Message = "server {Server} cannot be reached, trying on: {Problem}")]
    private static partial void LogLost(ILogger logger, string server, string problem);
}
