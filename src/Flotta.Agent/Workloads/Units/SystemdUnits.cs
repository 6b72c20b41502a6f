using System.Text;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Workloads;

/// <summary>
/// Keeps a unit of systemd for each workload that has proven itself, so that it starts at boot without the agent. What systemd has started stays in its
/// hands until the agent has to touch it: then the unit is stopped first, and the agent looks after the pod until the next boot.
/// </summary>
internal sealed partial class SystemdUnits(SystemdScope scope, string deviceId, WorkloadFolders folders, Func<CancellationToken, Task<Version>> podman, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan LongestStop = TimeSpan.FromMinutes(6);
    private static readonly TimeSpan LongestStart = TimeSpan.FromSeconds(100);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(250);

    private readonly UnitFolder _folder = new(scope);
    private readonly SemaphoreSlim _turn = new(1, 1);
    private bool _reload;
    private string? _problem;

    /// <summary>Makes the units what they should be. Returns whether all went well; what did not is tried again at the next call.</summary>
    /// <param name="workloads">Those that systemd shall start.</param>
    /// <param name="mounts">Folders that the agent mounts: no workload on them can start before it.</param>
    public async Task<bool> ReconcileAsync(IEnumerable<string> workloads, IReadOnlyList<string> mounts, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var version = await podman(cancellationToken);
            var wanted = new List<UnitFile>();
            foreach (var workload in workloads.Where(WorkloadNames.IsValid))
            {
                if (await SpecAsync(workload, mounts, cancellationToken) is { } spec)
                    wanted.Add(UnitText.Render(spec, UnitText.KindOf(spec, version, File.Exists(scope.Generator)), version, scope));
            }
            var plan = UnitPlan.Between(wanted, _folder.Read(), deviceId);
            var running = await RunningAsync(plan.Remove.Where(unit => wanted.TrueForAll(other => other.Service != UnitText.ServiceOf(unit.Workload))), cancellationToken);
            await ApplyAsync(plan with { Remove = [.. plan.Remove.Except(running)] }, cancellationToken);
            return Tell(plan.Foreign.Count > 0 ? $"{string.Join(", ", plan.Foreign)} is there already and is not this agent's" : null) && running.Count == 0;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Tell(PodmanSocket.OneLine(exception.Message));
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>The manifest for the unit to play, before anything that the one of before needs goes.</summary>
    public Task StageAsync(string workload, LastGood good, CancellationToken cancellationToken)
    {
        folders.Prepare(workload);
        return PrivateFile.WriteAsync(folders.Pod(workload), Encoding.UTF8.GetBytes(good.Document), folders.User, cancellationToken);
    }

    /// <summary>If systemd is just about to start it, waits for the end of that. Returns whether it has.</summary>
    public async Task<bool> SettleAsync(string workload, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        for (var waited = false; ; waited = true)
        {
            if (await StateAsync(workload, cancellationToken) is not { } state)
                return false;
            if (!state.Starting || time.GetElapsedTime(began) > LongestStart)
                return waited && state.Active == "active";
            await Task.Delay(BetweenLooks, time, cancellationToken);
        }
    }

    /// <summary>Takes the pod out of systemd's hands. Stops it, if systemd has it.</summary>
    public async Task ReleaseAsync(string workload, CancellationToken cancellationToken)
    {
        if (await StateAsync(workload, cancellationToken) is null or { AtRest: true })
            return;
        LogReleased(logger, workload);
        var stopped = await scope.RunAsync(LongestStop, cancellationToken, "stop", UnitText.ServiceOf(workload));
        if (!stopped.IsOk)
            throw new StepFailedException(Reasons.StopFailed, $"systemd does not let go of {UnitText.ServiceOf(workload)}: {stopped.Problem}");
    }

    /// <summary>The workload is no longer desired.</summary>
    public Task RemoveAsync(string workload, CancellationToken cancellationToken) =>
        RemoveAsync(unit => unit.Workload == workload, cancellationToken);

    public Task RemoveAllAsync(CancellationToken cancellationToken) => RemoveAsync(_ => true, cancellationToken);

    private async Task RemoveAsync(Func<FoundUnit, bool> which, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            var gone = _folder.Read().Where(unit => unit.Device == deviceId && which(unit)).ToList();
            foreach (var unit in gone)
                await ReleaseAsync(unit.Workload, cancellationToken);
            await ApplyAsync(new UnitPlan([], gone, []), cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<UnitSpec?> SpecAsync(string workload, IReadOnlyList<string> mounts, CancellationToken cancellationToken)
    {
        if (await Records.ReadAsync(folders.LastGood(workload), RecordsJson.Default.LastGood, cancellationToken) is not { } good
            || UnitSpec.Of(workload, deviceId, good, folders.Pod(workload), mounts) is not { } spec)
        {
            return null;
        }
        if (!File.Exists(spec.ManifestPath) || await File.ReadAllTextAsync(spec.ManifestPath, cancellationToken) != good.Document)
            await StageAsync(workload, good, cancellationToken);
        return spec;
    }

    /// <summary>systemd without the file of what it runs no longer knows how to stop it: that one stays until its pod is stopped.</summary>
    private async Task<List<FoundUnit>> RunningAsync(IEnumerable<FoundUnit> units, CancellationToken cancellationToken)
    {
        var running = new List<FoundUnit>();
        foreach (var unit in units)
        {
            if (await StateAsync(unit.Workload, cancellationToken) is { Running: true })
                running.Add(unit);
        }
        return running;
    }

    private async Task ApplyAsync(UnitPlan plan, CancellationToken cancellationToken)
    {
        _reload |= plan.HasWork;
        foreach (var unit in plan.Remove)
        {
            LogRemoved(logger, unit.Name);
            _folder.Remove(unit.Kind, unit.Name);
        }
        foreach (var unit in plan.Write)
        {
            LogWritten(logger, unit.Name);
            _folder.Write(unit);
        }
        if (!_reload)
            return;
        var reloaded = await scope.RunAsync(null, cancellationToken, "daemon-reload");
        if (!reloaded.IsOk)
            throw new IOException($"systemd does not read its units anew: {reloaded.Problem}");
        _reload = false;
    }

    /// <summary>Null when systemd cannot be asked: then it is not there to start anything either.</summary>
    private async Task<ServiceState?> StateAsync(string workload, CancellationToken cancellationToken)
    {
        var shown = await scope.RunAsync(null, cancellationToken, "show", "--property=ActiveState,SubState,Job", UnitText.ServiceOf(workload));
        if (shown.IsOk)
            return ServiceState.Parse(shown.Output);
        Tell(shown.Problem);
        return null;
    }

    private bool Tell(string? problem)
    {
        if (problem is not null && problem != _problem)
            LogProblem(logger, problem);
        _problem = problem;
        return problem is null;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Unit {Unit} is written: systemd starts the workload at boot")]
    private static partial void LogWritten(ILogger logger, string unit);

    [LoggerMessage(Level = LogLevel.Information, Message = "Unit {Unit} is removed")]
    private static partial void LogRemoved(ILogger logger, string unit);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Workload} is taken over from systemd until the next boot")]
    private static partial void LogReleased(ILogger logger, string workload);

    [LoggerMessage(Level = LogLevel.Warning, Message = "systemd cannot be made to start the workloads at boot: {Problem}")]
    private static partial void LogProblem(ILogger logger, string problem);
}
