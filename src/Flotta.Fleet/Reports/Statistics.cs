using System.Collections.Concurrent;
using System.Globalization;

namespace Flotta.Fleet.Reports;

/// <summary>Everything that was asked and how it was answered. A scenario may begin again in the middle, so that what came before does not count.</summary>
internal sealed class Statistics
{
    private volatile KindStatistics[] _kinds = Empty();

    public void Answered(RequestKind kind, int status, TimeSpan took) => _kinds[(int)kind].Answered(status, took, !IsHeld(kind));

    public void Failed(RequestKind kind, string problem) => _kinds[(int)kind].Failed(problem);

    /// <summary>All answers and failures so far, and those of them that a device would rather not have had.</summary>
    public (long Requests, long Errors) Totals()
    {
        long requests = 0, errors = 0;
        foreach (var kind in _kinds)
        {
            requests += kind.Total;
            errors += kind.Errors;
        }

        return (requests, errors);
    }

    public TimeSpan Quantile(RequestKind kind, double share) => _kinds[(int)kind].Latency.Quantile(share);

    public void Reset() => _kinds = Empty();

    public IReadOnlyDictionary<string, RequestReport> Report(TimeSpan over)
    {
        var kinds = _kinds;
        return Enum.GetValues<RequestKind>()
            .Where(kind => kinds[(int)kind].Total > 0)
            .ToDictionary(Name, kind => kinds[(int)kind].Report(over, !IsHeld(kind)), StringComparer.Ordinal);
    }

    private static KindStatistics[] Empty() => [.. Enum.GetValues<RequestKind>().Select(_ => new KindStatistics())];

    private static bool IsHeld(RequestKind kind) => kind is RequestKind.HeldConfiguration or RequestKind.HeldEnrolment;

    private static string Name(RequestKind kind) => System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(kind.ToString());

    private sealed class KindStatistics
    {
        private readonly ConcurrentDictionary<int, Counter> _statuses = new();
        private readonly ConcurrentDictionary<string, Counter> _failures = new(StringComparer.Ordinal);

        public Histogram Latency { get; } = new();

        public long Total => _statuses.Values.Sum(one => one.Value) + _failures.Values.Sum(one => one.Value);

        public long Errors => _statuses.Where(one => one.Key >= 400).Sum(one => one.Value.Value) + _failures.Values.Sum(one => one.Value);

        public void Answered(int status, TimeSpan took, bool counts)
        {
            _statuses.GetOrAdd(status, static _ => new Counter()).Add();
            if (counts)
                Latency.Record(took);
        }

        public void Failed(string problem) => _failures.GetOrAdd(problem, static _ => new Counter()).Add();

        public RequestReport Report(TimeSpan over, bool withLatency) => new()
        {
            Count = Total,
            PerSecond = over > TimeSpan.Zero ? Math.Round(Total / over.TotalSeconds, 1) : 0,
            Statuses = _statuses.OrderBy(one => one.Key).ToDictionary(one => one.Key.ToString(CultureInfo.InvariantCulture), one => one.Value.Value, StringComparer.Ordinal),
            Failures = _failures.IsEmpty ? null : _failures.OrderBy(one => one.Key, StringComparer.Ordinal).ToDictionary(one => one.Key, one => one.Value.Value, StringComparer.Ordinal),
            LatencyMs = withLatency && Latency.Count > 0 ? Latency.Report() : null,
        };
    }

    private sealed class Counter
    {
        private long _value;

        public long Value => Volatile.Read(ref _value);

        public void Add() => Interlocked.Increment(ref _value);
    }
}
