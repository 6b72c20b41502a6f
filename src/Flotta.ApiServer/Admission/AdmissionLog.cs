using Microsoft.Extensions.Logging;

namespace Flotta.ApiServer.Admission;

internal static partial class AdmissionLog
{
    [LoggerMessage(1, LogLevel.Warning, "The webhook {Webhook} could not be asked: {Reason}")]
    public static partial void NotAsked(ILogger logger, string webhook, string reason);
}
