using System.Text.Json;
using System.Text.Json.Serialization;

namespace Flotta.Fleet.Reports;

/// <summary>What a run says at its end. Its JSON is a contract: see docs/programs.md.</summary>
internal sealed record FleetReport
{
    public required string Scenario { get; init; }

    public required int Devices { get; init; }

    public required DateTimeOffset Started { get; init; }

    /// <summary>What <see cref="Requests"/> was measured over.</summary>
    public required double Seconds { get; init; }

    /// <summary>Whether the scenario came to its own end, and not to Ctrl-C or to the end of its patience.</summary>
    public required bool Complete { get; init; }

    /// <summary>How many devices are in which phase at the end.</summary>
    public required IReadOnlyDictionary<string, int> Phases { get; init; }

    /// <summary>From nothing to every device connected.</summary>
    public StageReport? ColdStart { get; init; }

    /// <summary>Each time that the fleet was cut off: how long until the last device was served again.</summary>
    public IReadOnlyList<OutageReport>? Outages { get; init; }

    /// <summary>Each workload applied: how long until the devices held it.</summary>
    public IReadOnlyList<RolloutReport>? Rollouts { get; init; }

    /// <summary>Events of devices that the server has taken, over the whole run.</summary>
    public long Events { get; init; }

    public required IReadOnlyDictionary<string, RequestReport> Requests { get; init; }

    public required TrafficReport Traffic { get; init; }

    public required ProcessReport Simulator { get; init; }

    /// <summary>The process named by <c>--server-process</c>, over the same time.</summary>
    public ProcessReport? Server { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this, ReportJson.Default.FleetReport);
}

/// <param name="Seconds">Until the last one.</param>
/// <param name="PerSecond">Devices a second over that time.</param>
internal sealed record StageReport(int Devices, double Seconds, double PerSecond)
{
    public static StageReport Of(int devices, TimeSpan took) => new(devices, Math.Round(took.TotalSeconds, 2), Math.Round(devices / took.TotalSeconds, 1));
}

/// <param name="Began">When the first of them lost its server.</param>
/// <param name="Ended">When the last of them had an answer again; absent when it did not come to that.</param>
internal sealed record OutageReport(DateTimeOffset Began, DateTimeOffset? Ended, int Devices, double Seconds);

/// <param name="Seconds">From the request that applied it until the last device held it.</param>
internal sealed record RolloutReport(string Workload, int Devices, double Seconds, LatencyReport LatencyMs);

internal sealed record RequestReport
{
    public long Count { get; init; }

    public double PerSecond { get; init; }

    public required IReadOnlyDictionary<string, long> Statuses { get; init; }

    /// <summary>Requests without an answer, by reason.</summary>
    public IReadOnlyDictionary<string, long>? Failures { get; init; }

    public LatencyReport? LatencyMs { get; init; }
}

internal sealed record LatencyReport
{
    public double P50 { get; init; }

    public double P90 { get; init; }

    public double P99 { get; init; }

    public double Max { get; init; }

    public double Mean { get; init; }
}

/// <summary>Bytes on the wire as devices see them, TLS included, TCP and IP headers not.</summary>
internal sealed record TrafficReport(long BytesSent, long BytesReceived, long Connections);

/// <param name="CpuCores">Cores kept busy over the time: 1.0 is one core all the time.</param>
internal sealed record ProcessReport(double CpuSeconds, double CpuCores, double MemoryMiB);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(FleetReport))]
internal sealed partial class ReportJson : JsonSerializerContext;
