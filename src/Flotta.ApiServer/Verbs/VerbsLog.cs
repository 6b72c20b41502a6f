using Microsoft.Extensions.Logging;

namespace Flotta.ApiServer.Verbs;

internal static partial class VerbsLog
{
    [LoggerMessage(1, LogLevel.Error, "{Method} {Path} failed")]
    public static partial void RequestFailed(ILogger logger, Exception exception, string method, string path);
}
