using Flotta.EdgeApi.Heartbeats;
using Flotta.EdgeApi.Statuses;
using Flotta.Resources;
using k8s.Models;
using Wired = Flotta.Wire;

namespace Flotta.Tests.EdgeApi.Heartbeats;

public sealed class ReportTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
    private static readonly ReportContext Context = new(Now, "replica-1", "v1", null, name => name == "placed");
    private static readonly EdgeDevice Fresh = new() { Metadata = new V1ObjectMeta { Name = "d", NamespaceProperty = "ns", ResourceVersion = "7" } };

    [Fact]
    public void The_same_report_again_changes_nothing()
    {
        var heartbeat = new Wired.Heartbeat
        {
            Status = "up",
            Version = "v1",
            Workloads = [new() { Name = "placed", Status = "Running", LastDataUpload = DateTimeOffset.MinValue }],
            Upgrade = new() { CurrentCommitId = "unknown" },
            Hardware = new() { Hostname = "vm", Disks = null, Cpu = new() { Frequency = 3600, Flags = null } },
        };
        var once = Report.Apply(Fresh, heartbeat, Context);
        StatusWriter.ChangesNothing(Fresh, once).ShouldBeFalse();
        var twice = Report.Apply(once, heartbeat, Context with { Now = Now.AddMinutes(9) });
        StatusWriter.ChangesNothing(once, twice).ShouldBeTrue();
    }

    [Fact]
    public void After_ten_minutes_the_time_is_written_again()
    {
        var once = Report.Apply(Fresh, new(), Context);
        var later = Report.Apply(once, new(), Context with { Now = Now.AddMinutes(11) });
        later.Status!.LastSeenTime.ShouldBe(Now.AddMinutes(11));
        Conditions.Find(later.Status.Conditions, "Connected")!.LastTransitionTime.ShouldBe(Now);
    }

    [Fact]
    public void A_phase_that_changes_has_a_time_and_entries_of_others_stay()
    {
        var device = Fresh with
        {
            Status = new EdgeDeviceStatus
            {
                Workloads = [new() { Name = "a", Phase = "Running", LastTransitionTime = Now.AddDays(-1) }, new() { Name = "b", Phase = "Deploying" }, new() { Name = "c", Phase = "Deploying" }],
            },
        };
        var after = Report.Apply(device, new() { Workloads = [new() { Name = "b", Status = "Running" }, new() { Name = "a", Status = "Running" }, new() { Name = "stranger", Status = "Running" }] }, Context);
        after.Status!.Workloads.ShouldBe(
        [
            new() { Name = "a", Phase = "Running", LastTransitionTime = Now.AddDays(-1) },
            new() { Name = "b", Phase = "Running", LastTransitionTime = Now },
            new() { Name = "c", Phase = "Deploying" },
        ]);
    }

    [Fact]
    public void A_workload_that_is_placed_here_gets_its_entry_from_the_report() =>
        Report.Apply(Fresh, new() { Workloads = [new() { Name = "placed", Status = "Created", Reason = "ImagePull", Message = "no such image" }] }, Context)
            .Status!.Workloads!.ShouldHaveSingleItem().ShouldBe(
                new DeviceWorkload { Name = "placed", Phase = "Created", Reason = "ImagePull", Message = "no such image", LastTransitionTime = Now });

    [Fact]
    public void What_does_not_run_is_named_with_its_reason()
    {
        var after = Report.Apply(Fresh, new() { Workloads = [new() { Name = "placed", Status = "Created", Message = "port 80 is taken" }] }, Context);
        var ready = Conditions.Find(after.Status!.Conditions, "WorkloadsReady")!;
        (ready.Status, ready.Reason, ready.Message).ShouldBe(("False", "NotRunning", "placed is Created: port 80 is taken"));
    }

    [Theory]
    [InlineData("v1", null, "True", "Applied")]
    [InlineData("v0", null, "False", "Pending")]
    [InlineData("v1", "secret gone does not exist", "False", "Misconfigured")]
    public void UpToDate_compares_what_is_applied_with_what_should_be(string applied, string? problem, string status, string reason)
    {
        var condition = Conditions.Find(Report.Apply(Fresh, new() { Version = applied }, Context with { Problem = problem }).Status!.Conditions, "UpToDate")!;
        (condition.Status, condition.Reason).ShouldBe((status, reason));
    }

    [Fact]
    public void A_delta_of_hardware_is_merged()
    {
        var full = Report.Apply(
            Fresh,
            new() { Hardware = new() { Hostname = "vm", Cpu = new() { Architecture = "x86_64", ModelName = "AMD EPYC", Frequency = 3600 }, Disks = [new() { Name = "sda" }], Gpus = null } },
            Context);
        full.Status!.Hardware!.Cpu!.Frequency.ShouldBe("3600.00");
        full.Status.Hardware.Gpus.ShouldBeEmpty();
        var delta = Report.Apply(full, new() { Hardware = new() { Hostname = "vm2", Disks = null, Interfaces = [new() { Name = "eth0", Flags = null }] } }, Context);
        var hardware = delta.Status!.Hardware!;
        (hardware.Hostname, hardware.Cpu!.ModelName, hardware.Disks.Single().Name, hardware.Interfaces.Single().Name).ShouldBe(("vm2", "AMD EPYC", "sda", "eth0"));
        hardware.Interfaces.Single().Flags.ShouldBeEmpty();
        delta.Metadata.Labels.ShouldBe(
            new Dictionary<string, string> { ["device.hostname"] = "vm2", ["device.cpu-architecture"] = "x86_64", ["device.cpu-model"] = "amdepyc" }, ignoreOrder: true);
    }

    [Fact]
    public void Hardware_is_mapped_as_the_original_maps_it()
    {
        var hardware = Report.Apply(
            Fresh,
            new()
            {
                Hardware = new()
                {
                    HostDevices = [new() { Path = "/dev/x", Uid = 4294967295, Gid = 4294967296L + 5, Major = 10, Minor = 235 }],
                    Mounts = [new() { Device = "/dev/vda", Directory = "/", Type = "ext4" }],
                    Cpu = new() { Frequency = 3.2 },
                },
            },
            Context).Status!.Hardware!;
        (hardware.HostDevices!.Single().Owner, hardware.HostDevices!.Single().Group).ShouldBe((-1, 5));
        hardware.Mounts!.Single().Folder.ShouldBe("/");
        hardware.Cpu!.Frequency.ShouldBe("3.20");
    }

    [Fact]
    public void Facts_of_any_length_make_valid_labels_and_a_status_that_fits()
    {
        var after = Report.Apply(
            Fresh,
            new() { Hardware = new() { Hostname = new string('x', 100_000), SystemVendor = new() { SerialNumber = "-----", ProductName = "😀😀" }, Disks = [.. Enumerable.Repeat(new Wired.Disk(), 100_000)] } },
            Context);
        after.Metadata.Labels.ShouldBe(new Dictionary<string, string> { ["device.hostname"] = new string('x', 63) });
        after.Status!.Hardware!.Hostname!.Length.ShouldBe(1024);
        after.Status.Hardware.Disks.Count.ShouldBe(1024);
    }

    [Fact]
    public void A_device_that_falls_silent_is_not_connected_unless_another_replica_has_it()
    {
        var here = Presence.Here(new EdgeDeviceStatus(), "replica-1", Now);
        var silent = Presence.Silent(here, "replica-1", Now.AddMinutes(1), Now.AddMinutes(4));
        Presence.IsConnected(silent).ShouldBeFalse();
        silent.LastSeenTime.ShouldBe(Now.AddMinutes(1));
        Presence.Silent(here, "replica-2", Now, Now).ShouldBeSameAs(here);
        Presence.Here(silent, "replica-2", Now.AddMinutes(5)).ConnectedTo.ShouldBe("replica-2");
    }

    [Fact]
    public void Replicas_do_not_wrestle_for_a_device()
    {
        var here = Presence.Here(new EdgeDeviceStatus(), "replica-1", Now);
        Presence.Here(here, "replica-2", Now.AddMinutes(1)).ShouldBeSameAs(here);
        Presence.Here(here, "replica-2", Now.AddMinutes(11)).ConnectedTo.ShouldBe("replica-2");
    }

    [Fact]
    public void Of_a_playbooks_conditions_one_is_true()
    {
        var once = PlaybookReport.Now(null, new() { Type = "Running" }, Now);
        var twice = PlaybookReport.Now(once, new() { Type = "SuccessfullyCompleted" }, Now.AddSeconds(1));
        twice.Select(condition => (condition.Type, condition.Status)).ShouldBe([("Running", "False"), ("SuccessfullyCompleted", "True")]);
        PlaybookReport.Now(twice, new() { Type = "SuccessfullyCompleted" }, Now.AddSeconds(2)).ShouldBe(twice);
    }

    [Fact]
    public void What_a_playbook_waits_for_is_told_with_its_condition_and_what_was_told_stays_when_it_is_not_said_again()
    {
        var said = new Wired.PlaybookExecutionStatus { Name = "dev-setup-0", Status = "Deploying", Reason = "AnsibleMissing", Message = "Install it." };
        var waits = PlaybookReport.Apply(new() { Conditions = [new() { Type = "Deploying", Status = "True", LastTransitionTime = Now }] }, said, Now.AddSeconds(1))!;
        waits.Conditions!.Single().ShouldBe(new() { Type = "Deploying", Status = "True", Reason = "AnsibleMissing", Message = "Install it.", LastTransitionTime = Now });
        PlaybookReport.Apply(waits, said, Now.AddSeconds(2)).ShouldBeSameAs(waits);

        var ended = PlaybookReport.Apply(waits, said with { Status = "CompletedWithError", Attempts = 1, Tasks = [new() { Name = "copy", Outcome = "failed", Message = new string('x', 5000) }] }, Now.AddSeconds(3))!;
        ended.Tasks!.Single().Message!.Length.ShouldBe(1024);
        var again = PlaybookReport.Apply(ended, said with { Status = "CompletedWithError" }, Now.AddSeconds(4))!;
        again.ShouldBeSameAs(ended);
    }
}
