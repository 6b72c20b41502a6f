using System.Text;
using Flotta.Operator;
using Prometheus;

namespace Flotta.Tests.Operator;

public sealed class OperatorMetricsTests
{
    [Fact]
    public async Task Rounds_are_counted_by_loop_and_result()
    {
        var loop = Guid.NewGuid().ToString("N");
        OperatorMetrics.Observe(new(loop, TimeSpan.FromMilliseconds(3), true, 7));
        OperatorMetrics.Observe(new(loop, TimeSpan.FromMilliseconds(3), false, 6));
        using var stream = new MemoryStream();
        await Metrics.DefaultRegistry.CollectAndExportAsTextAsync(stream, TestContext.Current.CancellationToken);
        var text = Encoding.UTF8.GetString(stream.ToArray());
        text.ShouldContain($"flotta_operator_queue_depth{{loop=\"{loop}\"}} 6");
        text.ShouldContain($"flotta_operator_reconciles{{loop=\"{loop}\",result=\"success\"}} 1");
        text.ShouldContain($"flotta_operator_reconciles{{loop=\"{loop}\",result=\"error\"}} 1");
        text.ShouldContain($"flotta_operator_reconcile_seconds_count{{loop=\"{loop}\"}} 2");
    }
}
