namespace Flotta.Agent.Workloads;

/// <summary>What is known of one probe of one run of a container.</summary>
/// <param name="Run">Which start of the container it is about.</param>
internal sealed record ProbeState(string Run, TimeSpan Due)
{
    public int Successes { get; init; }

    public int Failures { get; init; }

    /// <summary>Null until one of the thresholds was reached.</summary>
    public bool? Passes { get; init; }

    public string? Message { get; init; }

    public static ProbeState Begin(ContainerProbe probe, string run, TimeSpan now) => new(run, now + probe.Delay);

    /// <param name="problem">Null: it went well.</param>
    public ProbeState After(ContainerProbe probe, string? problem, TimeSpan now)
    {
        var next = problem is null
            ? this with { Successes = Successes + 1, Failures = 0 }
            : this with { Failures = Failures + 1, Successes = 0, Message = problem };
        return next with
        {
            Due = now + probe.Period,
            Passes = next.Successes >= probe.Successes ? true : next.Failures >= probe.Failures ? false : Passes,
        };
    }
}

/// <summary>What the probes of one container come to.</summary>
/// <param name="Unhealthy">Why it has to be started anew.</param>
/// <param name="Unready">Why it does not count as up.</param>
internal sealed record ProbeVerdict(string? Unhealthy, string? Unready)
{
    public static ProbeVerdict Well { get; } = new(null, null);

    public static ProbeVerdict Of(IReadOnlyList<(ContainerProbe Probe, ProbeState? State)> probes)
    {
        string? Failed(ProbeKind kind) => probes.Where(one => one.Probe.Kind == kind && one.State?.Passes == false).Select(one => Tell(kind, one.State!.Message)).FirstOrDefault();
        bool Waits(ProbeKind kind) => probes.Any(one => one.Probe.Kind == kind && one.State?.Passes != true);
        if (Failed(ProbeKind.Startup) is { } never)
            return new ProbeVerdict(never, never);
        if (Waits(ProbeKind.Startup))
            return new ProbeVerdict(null, "its startup probe has not passed yet");
        return new ProbeVerdict(Failed(ProbeKind.Liveness), Failed(ProbeKind.Readiness) ?? (Waits(ProbeKind.Readiness) ? "its readiness probe has not passed yet" : null));
    }

    private static string Tell(ProbeKind kind, string? message) => $"its {(kind switch { ProbeKind.Startup => "startup", ProbeKind.Liveness => "liveness", _ => "readiness" })} probe fails: {message}";
}
