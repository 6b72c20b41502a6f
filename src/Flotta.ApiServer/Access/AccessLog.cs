using Microsoft.Extensions.Logging;

namespace Flotta.ApiServer.Access;

internal static partial class AccessLog
{
    [LoggerMessage(1, LogLevel.Error, "The tokens in {File} cannot be read; those read before stay as they are")]
    public static partial void TokensUnreadable(ILogger logger, Exception exception, string file);

    [LoggerMessage(2, LogLevel.Error, "The audit log cannot be written")]
    public static partial void AuditFailed(ILogger logger, Exception exception);

    [LoggerMessage(3, LogLevel.Warning, "{Count} entries of the audit log were dropped: they came faster than the disk takes them")]
    public static partial void AuditDropped(ILogger logger, long count);
}
