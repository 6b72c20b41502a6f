using Microsoft.Extensions.Logging;

namespace Flotta.ApiServer.Storage;

internal static partial class StorageLog
{
    [LoggerMessage(1, LogLevel.Error, "{Count} writes were not stored")]
    public static partial void WriteFailed(ILogger logger, Exception exception, int count);

    [LoggerMessage(2, LogLevel.Information, "A watcher of {Resource} was too slow and is cut off")]
    public static partial void WatcherCutOff(ILogger logger, string resource);
}
