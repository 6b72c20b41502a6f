using Flotta.Kube;
using Prometheus;

namespace Flotta.Operator;

internal static class OperatorMetrics
{
    private static readonly Gauge Depth = Metrics.CreateGauge("flotta_operator_queue_depth", "Keys that wait to be reconciled.", "loop");

    private static readonly Counter Rounds = Metrics.CreateCounter("flotta_operator_reconciles", "Reconciliations.", "loop", "result");

    private static readonly Histogram Seconds = Metrics.CreateHistogram(
        "flotta_operator_reconcile_seconds",
        "How long one reconciliation took.",
        ["loop"],
        new HistogramConfiguration { Buckets = Histogram.ExponentialBuckets(0.001, 4, 8) });

    private static readonly Gauge Leads = Metrics.CreateGauge("flotta_operator_leader", "1 while this replica does the work.");

    public static void Observe(ReconcileRound round)
    {
        Depth.WithLabels(round.Loop).Set(round.Waiting);
        Rounds.WithLabels(round.Loop, round.Succeeded ? "success" : "error").Inc();
        Seconds.WithLabels(round.Loop).Observe(round.Duration.TotalSeconds);
    }

    public static void Leading(bool leads) => Leads.Set(leads ? 1 : 0);
}
