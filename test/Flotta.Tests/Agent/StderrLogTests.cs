using Flotta.Agent.Logging;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Agent;

public sealed class StderrLogTests
{
    [Fact]
    public void An_entry_is_one_line_whatever_comes_from_outside()
    {
        using var writer = new StringWriter();
        using var log = new StderrLog(LogLevel.Information, new FakeTimeProvider(new DateTimeOffset(2026, 11, 22, 13, 0, 0, TimeSpan.Zero)), writer);
        var logger = log.CreateLogger("Flotta.Agent.Desired.DesiredState");
        logger.LogWarning("refused: {Problem}", "a\nb\u001b[31m");
        logger.LogDebug("not wanted");
        writer.ToString().ShouldBe("2026-11-22T13:00:00.000Z warn  DesiredState: refused: a b?[31m" + Environment.NewLine);
    }
}
