using System.Text.Json;
using System.Text.Json.Serialization;
using Flotta.Agent.Files;
using Flotta.Agent.Heartbeats;
using Flotta.Agent.Processes;
using Flotta.Wire;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.Mounts;

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(List<Mount>))]
internal sealed partial class MountsJson : JsonSerializerContext;

/// <summary>
/// Makes the mounts of the configuration be there, each with its own retries, and unmounts what it mounted and is no longer wanted. Never by force:
/// what is in use stays until it is not.
/// </summary>
internal sealed partial class MountLoop : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Resync = TimeSpan.FromMinutes(5);
    private readonly DataDirectory _folder;
    private readonly EventQueue _events;
    private readonly Func<IReadOnlyList<Mount>> _actual;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Signal _wake = new();
    private readonly BackOff _backOff = new(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5));
    private readonly Dictionary<string, string> _told = new(StringComparer.Ordinal);
    private volatile Wanted? _desired;
    private volatile IReadOnlyList<string> _missing = [];

    public MountLoop(DataDirectory folder, EventQueue events, Func<IReadOnlyList<Mount>> actual, ILogger<MountLoop> logger, TimeProvider time) =>
        (_folder, _events, _actual, _logger, _time) = (folder, events, actual, logger, time);

    /// <summary>Another set of folders is missing.</summary>
    public event Action? Changed;

    /// <summary>Folders that shall be mounted and are not.</summary>
    public IReadOnlyList<string> Missing => _missing;

    private sealed record Wanted(IReadOnlyList<Mount> Mounts, bool KeepOthers);

    private string Ours => _folder["mounts.json"];

    /// <param name="keepOthers">What this agent has mounted stays as it is, whatever these say; they only come on top.</param>
    public void Apply(IReadOnlyList<Mount> desired, bool keepOthers = false)
    {
        _desired = new Wanted(desired, keepOthers);
        _missing = [.. Steps(_desired).Where(step => step is MountStep.Attach).Select(step => step.Directory)];
        _wake.Set();
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var well = await LookAsync(cancellationToken);
            if (well)
                _backOff.Reset();
            await _wake.WaitAsync(well ? Resync : _backOff.Next(), _time, cancellationToken);
        }
    }

    /// <summary>Deregistration: what we mounted is unmounted.</summary>
    public async Task RemoveAllAsync(CancellationToken cancellationToken)
    {
        _desired = new Wanted([], KeepOthers: false);
        await LookAsync(cancellationToken);
    }

    public void Dispose() => _wake.Dispose();

    private async Task<bool> LookAsync(CancellationToken cancellationToken)
    {
        if (_desired is not { } desired)
            return true;
        var missing = new List<string>();
        var refused = false;
        var problems = new Dictionary<string, string>(StringComparer.Ordinal);
        var inUse = new HashSet<string>(StringComparer.Ordinal);
        foreach (var step in Steps(desired))
        {
            // What is in use is still ours: with another one mounted over it, nobody would know.
            if (step is MountStep.Attach && inUse.Contains(step.Directory))
            {
                missing.Add(step.Directory);
                continue;
            }

            var problem = step is MountStep.Refuse refuse ? refuse.Why : await DoAsync(step, cancellationToken);
            refused |= problem is not null && step is not MountStep.Refuse;
            if (problem is null)
                continue;
            problems[step.Directory] = problem;
            if (step is MountStep.Attach or MountStep.Refuse)
                missing.Add(step.Directory);
            else if (step is MountStep.Detach)
                inUse.Add(step.Directory);
        }

        Tell(problems);
        var changed = !missing.SequenceEqual(_missing, StringComparer.Ordinal);
        _missing = missing;
        if (changed)
            Changed?.Invoke();
        return !refused;
    }

    private IReadOnlyList<MountStep> Steps(Wanted desired)
    {
        var ours = Load();
        IReadOnlyList<Mount> mounts = desired.KeepOthers ? [.. ours, .. desired.Mounts.ExceptBy(ours.Select(mount => mount.Directory), mount => RealPath.Of(mount.Directory ?? ""))] : desired.Mounts;
        return MountPlan.Between(mounts, _actual(), ours, RealPath.Of);
    }

    private async Task<string?> DoAsync(MountStep step, CancellationToken cancellationToken)
    {
        try
        {
            switch (step)
            {
                case MountStep.Attach attach:
                    return await AttachAsync(attach, cancellationToken);
                case MountStep.Detach detach:
                    return await DetachAsync(detach.Directory, cancellationToken);
                default:
                    return null;
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return exception.Message;
        }
    }

    private async Task<string?> AttachAsync(MountStep.Attach attach, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(attach.Directory))
            return "the folder does not exist";
        if (!File.Exists(attach.Device))
            return $"the device {attach.Device} is not there";
        if (!IsOfDisks(attach.Type))
            return $"the kernel has no file system {attach.Type} for disks";
        // Ours before it is there: killed in between, an unmount that finds nothing is no harm, a mount that nobody owns is.
        Save([.. Load().Where(mount => mount.Directory != attach.Directory), new Mount { Device = attach.Device, Directory = attach.Directory, Type = attach.Type, Options = attach.Options }]);
        string[] options = attach.Options.Length > 0 ? ["-o", attach.Options] : [];
        var result = await Tool.RunAsync("mount", ["--internal-only", "-t", attach.Type, .. options, "--", attach.Device, attach.Directory], null, Patience, cancellationToken);
        if (result.IsOk)
            LogMounted(_logger, attach.Device, attach.Directory);
        else
            Forget(attach.Directory);
        return result.IsOk ? null : result.Problem;
    }

    private async Task<string?> DetachAsync(string directory, CancellationToken cancellationToken)
    {
        if (_actual().Any(mount => mount.Directory == directory))
        {
            var result = await Tool.RunAsync("umount", ["--", directory], null, Patience, cancellationToken);
            if (!result.IsOk)
                return $"it cannot be unmounted: {result.Problem}";
            LogUnmounted(_logger, directory);
        }

        Forget(directory);
        return null;
    }

    private void Forget(string directory) => Save([.. Load().Where(mount => mount.Directory != directory)]);

    private List<Mount> Load()
    {
        try
        {
            return File.Exists(Ours) ? JsonSerializer.Deserialize(File.ReadAllBytes(Ours), MountsJson.Default.ListMount)?.FindAll(mount => mount is { Directory: not null }).ConvertAll(mount => mount with { Directory = RealPath.Of(mount.Directory!) }) ?? [] : [];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            // What we do not know to be ours we leave.
            return [];
        }
    }

    private void Save(List<Mount> ours)
    {
        if (ours.Count == 0)
            DurableFile.Delete(Ours);
        else
            DurableFile.Write(Ours, JsonSerializer.SerializeToUtf8Bytes(ours, MountsJson.Default.ListMount));
    }

    private void Tell(Dictionary<string, string> problems)
    {
        foreach (var (directory, problem) in problems)
        {
            if (_told.GetValueOrDefault(directory) == problem)
                continue;
            _told[directory] = problem;
            LogNotMounted(_logger, directory, problem);
            _events.Add("MountFailed", $"{(directory.Length == 0 ? "a mount" : directory)}: {problem}", EventTypes.Warn);
        }

        foreach (var directory in _told.Keys.Where(directory => !problems.ContainsKey(directory)).ToList())
        {
            _told.Remove(directory);
            _events.Add("Recovered", $"{directory}: it is mounted as desired", EventTypes.Info);
        }
    }

    // Those marked nodev have no disk behind them: proc, overlay, nfs and the like are nobody's to mount from afar.
    private static bool IsOfDisks(string type)
    {
        var known = File.ReadLines("/proc/filesystems").Any(line => line.Trim() == type);
        return known || Directory.EnumerateFiles("/lib/modules", type + ".ko*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, MaxRecursionDepth = 6 }).Any();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "mounted {Device} at {Directory}")]
    private static partial void LogMounted(ILogger logger, string device, string directory);

    [LoggerMessage(Level = LogLevel.Information, Message = "unmounted {Directory}")]
    private static partial void LogUnmounted(ILogger logger, string directory);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Directory} is not mounted as desired: {Problem}")]
    private static partial void LogNotMounted(ILogger logger, string directory, string problem);
}
