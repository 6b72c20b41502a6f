using System.Text;
using Flotta.Agent.CommandLine;
using Flotta.Agent.Files;
using Flotta.Agent.Workloads;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent;

/// <summary>Where this machine's workloads run, and what starts them at boot: found out once, at start.</summary>
internal sealed partial class Containers : IDisposable
{
    private const string Remembered = "podman-user";

    private readonly PodmanPlace _place;
    private readonly SystemdScope? _systemd;
    private readonly bool _chosenByUs;
    private readonly ILoggerFactory _loggers;
    private readonly TimeProvider _time;

    private Containers(PodmanPlace place, SystemdScope? systemd, bool chosenByUs, ILoggerFactory loggers, TimeProvider time)
    {
        (_place, _systemd, _chosenByUs, _loggers, _time) = (place, systemd, chosenByUs, loggers, time);
        Podman = new PodmanClient(place.Socket);
    }

    public PodmanClient Podman { get; }

    /// <summary>Whose they are; null for root's.</summary>
    public Account? User => _place.User;

    /// <exception cref="AgentStartException">With a sentence for a person.</exception>
    public static Containers Of(AgentOptions options, ILoggerFactory loggers, TimeProvider time)
    {
        var place = PlaceOf(options);
        var systemd = options.Systemd switch
        {
            Choice.On => true,
            Choice.Off => false,
            _ => place.IsUsual && SystemdScope.IsThere(place.User),
        };
        return new Containers(place, systemd ? SystemdScope.Of(place.User) : null, options is { Rootless: Choice.Auto, PodmanSocket: null }, loggers, time);
    }

    public static PodmanPlace PlaceOf(AgentOptions options)
    {
        var accounts = Read(Account.Accounts) ?? "";
        var before = Read(Path.Combine(options.DataDirectory, Remembered))?.Trim();
        var name = options.Rootless == Choice.Auto && before is { Length: > 0 } and not "root" ? before : options.RootlessUser;
        return PodmanPlace.Choose(new Surroundings(
            options.Rootless,
            options.PodmanSocket,
            before,
            name,
            Account.Named(accounts, name),
            SystemdScope.Lingers(name),
            PodmanPlace.OwnerOf(options.PodmanSocket) is { } id ? Account.WithId(accounts, id) : null));
    }

    public IWorkloads Workloads(string deviceId, DataDirectory folder)
    {
        if (_chosenByUs)
            Remember(folder[Remembered]);
        LogPlace(_loggers.CreateLogger<Containers>(), _place.Name, _place.Socket, _systemd is null ? "the agent" : "systemd");
        return new PodmanWorkloads(new WorkloadLoop(Podman, deviceId, folder.Path, _time, _loggers.CreateLogger<WorkloadLoop>(), _place.User, _systemd));
    }

    public void Dispose() => Podman.Dispose();

    private void Remember(string file)
    {
        if (Read(file)?.Trim() == _place.Name)
            return;
        try
        {
            DurableFile.Write(file, Encoding.UTF8.GetBytes(_place.Name + "\n"));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A full disk is no reason not to look after what runs.
            LogNotRemembered(_loggers.CreateLogger<Containers>(), exception.Message);
        }
    }

    private static string? Read(string path)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllText(path) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "whose containers they are could not be written down, and is found out again at the next start: {Problem}")]
    private static partial void LogNotRemembered(ILogger logger, string problem);

    [LoggerMessage(Level = LogLevel.Information, Message = "containers are those of {User} (podman at {Socket}); at boot they are started by {Starter}")]
    private static partial void LogPlace(ILogger logger, string user, string socket, string starter);
}
