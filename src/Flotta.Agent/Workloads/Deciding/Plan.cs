namespace Flotta.Agent.Workloads;

/// <summary>What one workload needs, in order, and what there is to say about it.</summary>
/// <param name="Desired">Null for one that shall go.</param>
internal sealed record WorkloadPlan(string Workload, PodManifest? Desired, IReadOnlyList<Step> Steps, string? Reason = null, string? Message = null)
{
    /// <summary>The workload goes for good.</summary>
    public bool IsRemoval => Desired is null && Steps.All(step => step is Step.Stop or Step.Remove);

    public bool HasWork => Steps.Any(step => step is not (Step.Keep or Step.Wait));

    public override string ToString() => $"{Workload}: {string.Join(", ", Steps)}";
}

/// <summary>From what is desired and what podman has to what is to be done: a pure function, and its result is data.</summary>
internal sealed record Plan(IReadOnlyList<WorkloadPlan> Workloads)
{
    /// <summary>A pod that does not start for this many tries is made anew.</summary>
    private const int RecreateAfter = 3;

    public override string ToString() => string.Join('\n', Workloads);

    /// <param name="outdated">The server has said something newer than <paramref name="desired"/>, and nobody knows what.</param>
    public static Plan Between(
        IReadOnlyList<DesiredPod> desired,
        IReadOnlyList<ActualPod> actual,
        IReadOnlyDictionary<string, ItemState> states,
        TimeSpan now,
        bool outdated = false)
    {
        if (outdated)
        {
            var there = actual.Where(pod => pod.Ours && pod.IsOf(pod.Workload)).Select(pod => pod.Workload);
            return new Plan([.. desired.Select(wanted => wanted.Name).Union(there, StringComparer.Ordinal).Select(name => AsItIs(name, actual, StateOf(name), now))]);
        }

        var plans = desired.Select(wanted => StillFailing(For(wanted, actual, StateOf(wanted.Name), now), StateOf(wanted.Name))).ToList();
        var names = desired.Select(wanted => wanted.Name).ToHashSet(StringComparer.Ordinal);
        var strays = actual.Where(pod => pod.Ours && !(names.Contains(pod.Workload) && pod.IsOf(pod.Workload)));
        foreach (var group in strays.GroupBy(pod => pod.Workload, StringComparer.Ordinal))
            plans = Sweep(plans, group, StateOf(group.Key), now);
        return new Plan(plans);

        ItemState StateOf(string name) => states.GetValueOrDefault(name) ?? ItemState.Fresh;
    }

    /// <summary>Until a new try has succeeded, the reason of the last one stands; otherwise every try would be two changes to report.</summary>
    private static WorkloadPlan StillFailing(WorkloadPlan plan, ItemState state) =>
        plan is { HasWork: true, Reason: null, Desired: { } manifest } && state.FailedAt(manifest) ? plan with { Reason = state.Reason, Message = state.Message } : plan;

    private static WorkloadPlan AsItIs(string name, IReadOnlyList<ActualPod> actual, ItemState state, TimeSpan now)
    {
        if (actual.FirstOrDefault(pod => pod.IsOf(name)) is not { } own)
            return new WorkloadPlan(name, null, [new Step.Keep("the server has to say first whether it is still wanted")]);
        var supervision = Supervision.Of(own, state, now);
        return new WorkloadPlan(name, null, supervision.Steps, supervision.Reason, supervision.Message);
    }

    private static WorkloadPlan For(DesiredPod wanted, IReadOnlyList<ActualPod> actual, ItemState state, TimeSpan now)
    {
        var own = actual.FirstOrDefault(pod => pod.IsOf(wanted.Name));
        if (wanted.Manifest is not { } manifest)
            return new WorkloadPlan(wanted.Name, null, own is null ? [new Step.Keep("there is nothing to run")] : Supervision.Of(own, state, now).Steps, wanted.Reason, wanted.Message);
        if (own is null && actual.Any(pod => pod.Name == wanted.Name && !(pod.Ours && pod.Rehearsal)))
            return new WorkloadPlan(wanted.Name, manifest, [new Step.Keep("left alone")], Reasons.NameTaken, $"a pod called {wanted.Name} that is not this agent's exists already");

        var waits = state.FailedAt(manifest) && now < state.NotBefore;
        if (own is null)
            return waits ? Waiting(manifest, state, []) : new WorkloadPlan(wanted.Name, manifest, [.. Pulls(manifest), .. Make(manifest, "new")]);
        if (own.Hash == manifest.Hash)
            return waits ? Waiting(manifest, state, []) : Same(manifest, own, state, now);
        // An update that failed a moment ago: until it is tried again, what runs is looked after.
        if (waits)
            return Waiting(manifest, state, Supervision.Of(own, state, now).Steps);
        return new WorkloadPlan(wanted.Name, manifest,
        [
            .. Pulls(manifest),
            new Step.Rehearse(own.Id),
            .. Removal(own, "it has changed"),
            .. Make(manifest, "changed"),
        ]);
    }

    private static WorkloadPlan Same(PodManifest manifest, ActualPod own, ItemState state, TimeSpan now)
    {
        // A start that failed half-way leaves podman holding the pod's ports: only a new pod gets them back.
        if (state.FailedAt(manifest) && state.Failures % RecreateAfter == 0 && state.Reason is (Reasons.StartFailed or Reasons.PortInUse))
            return new WorkloadPlan(manifest.Name, manifest, [.. Pulls(manifest), .. Removal(own, "it does not start"), .. Make(manifest, "made anew")]);
        var supervision = Supervision.Of(own, state, now);
        var plan = new WorkloadPlan(manifest.Name, manifest, supervision.Steps, supervision.Reason, supervision.Message);
        return state.Good == manifest.Hash || supervision.Reason == Reasons.Paused ? plan : OnTrial(plan, own, state, now);
    }

    private static WorkloadPlan OnTrial(WorkloadPlan plan, ActualPod own, ItemState state, TimeSpan now) =>
        Trial.Of(own, state, Reasons.IsFailure(plan.Reason) ? plan.Message : null, now, waitsFor: plan.Message) switch
        {
            Trial.Passed => plan with { Steps = [.. plan.Steps, new Step.Prove(own.Hash)] },
            Trial.Failed failed when state.Good is not null => plan with { Steps = [new Step.TakeBack(own.Id, own.GraceSeconds, failed.Why)] },
            Trial.Undecided undecided => plan with { Steps = [.. plan.Steps, new Step.Wait(undecided.Until, "on trial")] },
            // Nothing to go back to: it is looked after like any other.
            _ => plan,
        };

    private static WorkloadPlan Waiting(PodManifest manifest, ItemState state, IReadOnlyList<Step> meanwhile) =>
        new(manifest.Name, manifest, [.. meanwhile, new Step.Wait(state.NotBefore, state.Reason ?? "")], state.Reason, state.Message);

    private static IEnumerable<Step> Pulls(PodManifest manifest) => manifest.Images.Select(image => new Step.Pull(image));

    private static IEnumerable<Step> Make(PodManifest manifest, string why) => [new Step.Create(manifest.Hash), new Step.Start(null, [], Again: false, why)];

    private static IEnumerable<Step> Removal(ActualPod pod, string why) => [new Step.Stop(pod.Id, pod.GraceSeconds, why), new Step.Remove(pod.Id, pod.Name)];

    /// <summary>Adds the removal of pods of ours that nothing asks for: of workloads that are gone, and of rehearsals that a crash cut short.</summary>
    private static List<WorkloadPlan> Sweep(List<WorkloadPlan> plans, IGrouping<string, ActualPod> strays, ItemState state, TimeSpan now)
    {
        var at = plans.FindIndex(plan => plan.Workload == strays.Key);
        var removals = strays.SelectMany(pod => Removal(pod, "it is not desired"));
        if (at >= 0)
            plans[at] = plans[at] with { Steps = [.. removals, .. plans[at].Steps] };
        else if (state.Failures > 0 && now < state.NotBefore)
            plans.Add(new WorkloadPlan(strays.Key, null, [new Step.Wait(state.NotBefore, state.Reason ?? "")], state.Reason, state.Message));
        else
            plans.Add(new WorkloadPlan(strays.Key, null, [.. removals]));
        return plans;
    }
}
