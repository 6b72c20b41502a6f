using Microsoft.Extensions.Logging;

namespace Flotta.Yggdrasil.Transport;

/// <summary>Says once when the server goes away and once when it is back, however many loops notice.</summary>
internal sealed partial class Reachability(string server, ILogger logger)
{
    private readonly Lock _lock = new();
    private bool? _reachable;

    public void Note(Answer answer)
    {
        lock (_lock)
        {
            var reachable = answer.Problem is null;
            if (_reachable == reachable)
                return;
            if (reachable)
                LogReached(logger, server);
            else
                LogLost(logger, server, answer.Problem!);
            _reachable = reachable;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "server {Server} reached")]
    private static partial void LogReached(ILogger logger, string server);

    [LoggerMessage(Level = LogLevel.Warning, Message = "server {Server} cannot be reached, trying on: {Problem}")]
    private static partial void LogLost(ILogger logger, string server, string problem);
}
