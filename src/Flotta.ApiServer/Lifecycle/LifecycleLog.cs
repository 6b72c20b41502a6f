using Microsoft.Extensions.Logging;

namespace Flotta.ApiServer.Lifecycle;

internal static partial class LifecycleLog
{
    [LoggerMessage(1, LogLevel.Error, "The {Work} pass failed and is tried again")]
    public static partial void PassFailed(ILogger logger, Exception exception, string work);
}
