using Flotta.Agent.Workloads;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.Agent.Workloads.Units;

/// <summary>What the agent asks of systemd, in which order. A script stands for systemctl: it answers with a state and writes down what it is asked.</summary>
public sealed class SystemdUnitsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("flotta-systemd-");
    private readonly UnitFile _unit;

    public SystemdUnitsTests()
    {
        File.WriteAllText(
            In("systemctl"),
            $"""
            #!/bin/sh
            shift
            echo "$1 $(ls '{In("units")}' | grep -c service)" >>'{In("asked")}'
            if [ "$1" = show ]; then cat '{In("state")}'; fi
            if [ "$1" = stop ]; then echo ActiveState=inactive >'{In("state")}'; fi
            """);
        File.SetUnixFileMode(In("systemctl"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var spec = new UnitSpec("web", "till-07", "/pod.yaml", null, RestartPolicy.Always, 10);
        _unit = UnitText.Render(spec, UnitKind.Service, new Version(4, 3, 1), Scope);
        new UnitFolder(Scope).Write(_unit);
    }

    private SystemdScope Scope => SystemdScope.Of(null) with { UnitFolder = In("units"), QuadletFolder = In("quadlets"), Generator = In("none"), Enter = () => [In("systemctl")] };

    /// <summary>Without its file systemd would stop it by what it does by default: not with podman, and with all that podman shares between pods.</summary>
    [Fact]
    public async Task What_systemd_runs_keeps_its_file_until_it_is_stopped()
    {
        var units = Units();
        Runs("ActiveState=active\nSubState=running\n");
        (await units.ReconcileAsync([], [], CancellationToken.None)).ShouldBeFalse("it is looked again soon");
        Asked().ShouldBe(["show 1"]);
        File.Exists(Path.Combine(Scope.UnitFolder, _unit.Name)).ShouldBeTrue();

        await units.RemoveAsync("web", CancellationToken.None);
        Asked().ShouldBe(["show 1", "stop 1", "daemon-reload 0"]);
    }

    [Theory]
    [InlineData("ActiveState=inactive\nSubState=dead\n")]
    [InlineData("ActiveState=activating\nSubState=auto-restart\n")]
    public async Task What_does_not_run_and_is_not_wanted_goes(string state)
    {
        var units = Units();
        Runs(state);
        (await units.ReconcileAsync([], [], CancellationToken.None)).ShouldBeTrue();
        Asked().ShouldBe(["show 1", "daemon-reload 0"]);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private string In(string name) => Path.Combine(_folder.FullName, name);

    private SystemdUnits Units() => new(Scope, "till-07", new WorkloadFolders(In("data")), _ => Task.FromResult(new Version(4, 3, 1)), TimeProvider.System, NullLogger.Instance);

    private void Runs(string state) => File.WriteAllText(In("state"), state);

    private string[] Asked()
    {
        var asked = File.ReadAllLines(In("asked"));
        File.Delete(In("asked"));
        return asked;
    }
}
