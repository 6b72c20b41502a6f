using Flotta.Fleet.Cluster;
using Flotta.Fleet.Devices;
using Flotta.Fleet.Reports;

namespace Flotta.Fleet.Scenarios;

/// <summary>One run of the program: the fleet is brought up, the scenario happens to it, and the report says how it went.</summary>
internal sealed class FleetRun(FleetOptions options, TextWriter progress, TimeProvider time)
{
    private readonly Fleet _fleet = new(options, time);
    private readonly List<RolloutReport> _rollouts = [];
    private readonly DateTimeOffset _started = time.GetUtcNow();
    private readonly KubernetesApi? _api = options.Kubeconfig is { } file ? new KubernetesApi(Kubeconfig.Read(file)) : null;
    private StageReport? _coldStart;
    private long _measuredFrom = time.GetTimestamp();
    private ProcessUse? _ownBefore = ProcessUse.Of(Environment.ProcessId);
    private ProcessUse? _serverBefore = options.ServerProcess is { } server ? ProcessUse.Of(server) : null;

    /// <summary><paramref name="cancellationToken"/> is Ctrl-C: the devices are switched off and what was measured until then is reported.</summary>
    public async Task<FleetReport> RunAsync(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var telling = new Progress(_fleet, options, progress, time).RunAsync(stop.Token);
        var approving = _api is null ? Task.CompletedTask : new Approver(_api, options.Prefix + "-", progress, time).RunAsync(stop.Token);
        var complete = false;
        Task living = Task.CompletedTask;
        try
        {
            if (options.Scenario == Names.Load)
            {
                await LoadAsync(stop.Token);
            }
            else
            {
                living = _fleet.RunAsync(stop.Token);
                await HappenAsync(stop.Token);
            }

            complete = true;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await progress.WriteLineAsync("stopping");
        }
        catch (TimeoutException late)
        {
            await progress.WriteLineAsync(late.Message);
        }

        var report = Report(complete);
        await stop.CancelAsync();
        await Ended(living);
        await Ended(telling);
        await Ended(approving);
        _api?.Dispose();
        return report;
    }

    private async Task HappenAsync(CancellationToken cancellationToken)
    {
        await ColdStartAsync(_fleet.Census.ReachesAsync(options.Devices), cancellationToken);
        if (options.Scenario == Names.ColdStart)
            return;
        Measure();
        switch (options.Scenario)
        {
            case Names.Steady:
                await Task.Delay(options.Duration, time, cancellationToken);
                await CalmAsync(cancellationToken);
                return;
            case Names.ReconnectStorm:
                await ReconnectStormAsync(cancellationToken);
                return;
            case Names.Flapping:
                await FlappingAsync(cancellationToken);
                await CalmAsync(cancellationToken);
                return;
            case Names.Rollout:
                await RolloutAsync(cancellationToken);
                return;
        }
    }

    private async Task ColdStartAsync(Task reached, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        await WithinAsync(reached, $"not every device was served within {options.Patience.TotalSeconds} s", cancellationToken);
        var took = time.GetElapsedTime(began);
        _coldStart = StageReport.Of(options.Devices, took);
        await progress.WriteLineAsync($"all {options.Devices} devices are served after {took.TotalSeconds:0.0} s");
    }

    /// <summary>What came before does not count.</summary>
    private void Measure()
    {
        _fleet.Statistics.Reset();
        _fleet.Server.Traffic.Reset();
        _measuredFrom = time.GetTimestamp();
        _ownBefore = ProcessUse.Of(Environment.ProcessId);
        _serverBefore = options.ServerProcess is { } server ? ProcessUse.Of(server) : null;
    }

    private async Task ReconnectStormAsync(CancellationToken cancellationToken)
    {
        for (var round = 1; round <= options.Rounds; round++)
        {
            await Task.Delay(options.Every, time, cancellationToken);
            await progress.WriteLineAsync($"storm {round} of {options.Rounds}: every link is cut for up to {options.Down.TotalSeconds} s");
            foreach (var device in _fleet.Devices)
                device.CutLink(options.Down * Random.Shared.NextDouble());
            // Until the last has noticed.
            await Task.Delay(TimeSpan.FromMilliseconds(200), time, cancellationToken);
            await WithinAsync(_fleet.Census.ReachesAsync(options.Devices), "not every device came back", cancellationToken);
        }
    }

    /// <summary>So that at the end everything is as it should be, and can be compared.</summary>
    private async Task CalmAsync(CancellationToken cancellationToken)
    {
        if (options.Calm == TimeSpan.Zero)
            return;
        await progress.WriteLineAsync($"calm for {options.Calm.TotalSeconds} s");
        foreach (var device in _fleet.Devices)
            device.CalmDown();
        await Task.Delay(options.Calm, time, cancellationToken);
    }

    private async Task FlappingAsync(CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        end.CancelAfter(options.Duration);
        await Ended(Task.WhenAll(_fleet.Devices.Select(FlapAsync)));
        cancellationToken.ThrowIfCancellationRequested();

        async Task FlapAsync(SimulatedDevice device)
        {
            while (true)
            {
                await Task.Delay(options.Every * -Math.Log(1 - Random.Shared.NextDouble()), time, end.Token);
                device.CutLink(options.Down * Random.Shared.NextDouble());
            }
        }
    }

    private async Task RolloutAsync(CancellationToken cancellationToken)
    {
        for (var round = 1; round <= options.Rounds; round++)
        {
            var name = $"{options.Prefix}-rollout-{round}";
            await _api!.DeleteWorkloadAsync(options.Settings.Namespace, name, cancellationToken);
            await Task.Delay(options.Every, time, cancellationToken);
            var rollout = _fleet.Census.Expect(name, options.Devices);
            var alone = options.Devices == 1 ? _fleet.Devices[0].Id : null;
            await _api.ApplyWorkloadAsync(options.Settings.Namespace, name, round, alone, cancellationToken);
            try
            {
                await WithinAsync(rollout.All, $"{name} did not reach every device", cancellationToken);
            }
            finally
            {
                _rollouts.Add(rollout.Report());
                await _api.DeleteWorkloadAsync(options.Settings.Namespace, name, CancellationToken.None);
            }

            await progress.WriteLineAsync($"{name} reached all {options.Devices} devices after {_rollouts[^1].Seconds:0.000} s");
        }
    }

    private async Task LoadAsync(CancellationToken cancellationToken)
    {
        if (options.Request == LoadRequest.Registration)
        {
            await RegistrationsAsync(cancellationToken);
            return;
        }

        await ColdStartAsync(_fleet.RegisterAsync(cancellationToken), cancellationToken);
        using var load = new Load(_fleet, options, time);
        await load.PrepareAsync(cancellationToken);
        Measure();
        await progress.WriteLineAsync($"load begins: {options.Request} over {options.Devices} connections");
        await load.RunAsync(cancellationToken);
    }

    private async Task RegistrationsAsync(CancellationToken cancellationToken)
    {
        using var registrations = new Registrations(_fleet, options, time);
        var late = $"not every device was registered within {options.Patience.TotalSeconds} s";
        await WithinAsync(registrations.PrepareAsync(cancellationToken), late, cancellationToken);
        Measure();
        await progress.WriteLineAsync($"load begins: every device of {options.Devices} that has no certificate gets one");
        var stage = registrations.RunAsync(cancellationToken);
        await WithinAsync(stage, late, cancellationToken);
        _coldStart = await stage;
    }

    private async Task WithinAsync(Task reached, string otherwise, CancellationToken cancellationToken)
    {
        try
        {
            await reached.WaitAsync(options.Patience, time, cancellationToken);
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException(otherwise, late);
        }
    }

    private FleetReport Report(bool complete)
    {
        var over = time.GetElapsedTime(_measuredFrom);
        var traffic = _fleet.Server.Traffic;
        return new FleetReport
        {
            Scenario = options.Scenario,
            Devices = options.Devices,
            Started = _started,
            Seconds = Math.Round(over.TotalSeconds, 2),
            Complete = complete,
            Phases = _fleet.Census.Phases(),
            ColdStart = _coldStart,
            Outages = _fleet.Census.Outages is { Count: > 0 } outages ? outages : null,
            Rollouts = _rollouts.Count > 0 ? _rollouts : null,
            Events = _fleet.Census.Events,
            Requests = _fleet.Statistics.Report(over),
            Traffic = new TrafficReport(traffic.BytesSent, traffic.BytesReceived, traffic.Connections),
            Simulator = ProcessUse.Between(_ownBefore, ProcessUse.Of(Environment.ProcessId), over)!,
            Server = options.ServerProcess is { } server ? ProcessUse.Between(_serverBefore, ProcessUse.Of(server), over) : null,
        };
    }

    private static async Task Ended(Task task)
    {
        try
        {
            await task;
        }
        catch (OperationCanceledException)
        {
            // As asked.
        }
    }

    /// <summary>What the scenarios are called on the command line.</summary>
    internal static class Names
    {
        public const string ColdStart = "cold-start";
        public const string Steady = "steady";
        public const string ReconnectStorm = "reconnect-storm";
        public const string Rollout = "rollout";
        public const string Flapping = "flapping";
        public const string Load = "load";
    }
}
