using Flotta.Agent.Alarms;
using Flotta.Agent.Duties;
using Flotta.Agent.Heartbeats;
using Flotta.Wire;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Agent.Alarms;

public sealed class AlarmTests
{
    private static readonly ResourceMonitor Disk = new() { Name = "disk", Resource = "disk", Path = "/var", Threshold = 85, ResetBelow = 80, DurationSeconds = 60 };

    [Fact]
    public void An_alarm_begins_after_the_whole_duration_and_ends_only_below_the_lower_mark_for_as_long()
    {
        var alarm = Alarm.Off(Disk, DateTimeOffset.UnixEpoch);
        var states = new List<bool>();
        // One value every 30 seconds.
        foreach (var (percent, index) in ((double[])[90, 90, 90, 84, 79, 79, 84, 79, 79, 79]).Select((percent, index) => (percent, index)))
        {
            alarm = alarm.Next(Disk, percent, TimeSpan.FromSeconds(30 * index), DateTimeOffset.UnixEpoch.AddSeconds(30 * index));
            states.Add(alarm.Active);
        }

        states.ShouldBe([false, false, true, true, true, true, true, true, true, false]);
        alarm.Since.ShouldBe(DateTimeOffset.UnixEpoch.AddSeconds(270));
    }

    [Fact]
    public void A_short_peak_is_no_alarm()
    {
        var alarm = Alarm.Off(Disk, DateTimeOffset.UnixEpoch);
        for (var second = 0; second < 600; second += 30)
            alarm = alarm.Next(Disk, second % 60 == 0 ? 99 : 50, TimeSpan.FromSeconds(second), DateTimeOffset.UnixEpoch);
        alarm.Active.ShouldBeFalse();
    }

    [Fact]
    public void Without_a_lower_mark_it_is_five_below_the_threshold() => Alarm.LowerMark(Disk with { ResetBelow = null }).ShouldBe(80);

    [Fact]
    public async Task The_loop_tells_the_heartbeat_when_an_alarm_begins_and_when_it_ends()
    {
        using var machine = new Machine();
        machine.Memory(used: 50);
        var (facts, events, time) = (new DutyFacts(), new EventQueue(), new FakeTimeProvider());
        var news = 0;
        facts.Changed += () => Interlocked.Increment(ref news);
        using var stop = new CancellationTokenSource();
        var slice = AlarmLoop.Slice(new DeviceConfigurationMessage
        {
            Configuration = new DeviceConfiguration { Monitors = [new() { Name = "memory", Resource = "memory", Threshold = 90, DurationSeconds = 10 }, new() { Name = "gone", Resource = "disk", Path = "/no/such/folder", Threshold = 1 }] },
        });
        var running = new AlarmLoop(facts, new HeartbeatReport(events), new Gauges(machine.Root), time).RunAsync(slice!, stop.Token);
        await Eventually.True(() => facts.Alarms is { Count: 2 });
        facts.Alarms!.ShouldAllBe(alarm => alarm.Active == false);
        machine.Memory(used: 95);
        await Eventually.True(() => Advance(() => facts.Alarms![0].Active == true));
        var told = news;
        for (var i = 0; i < 20; i++)
            time.Advance(TimeSpan.FromSeconds(2.5));
        news.ShouldBe(told);
        machine.Memory(used: 10);
        await Eventually.True(() => Advance(() => facts.Alarms![0].Active == false));
        events.Peek().Entries.Select(one => one.Reason).ShouldBe(["MonitorFailed", "AlarmRaised", "AlarmCleared"]);
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(running);
        facts.Alarms.ShouldBeNull();

        bool Advance(Func<bool> until)
        {
            time.Advance(TimeSpan.FromSeconds(2.5));
            return until();
        }
    }

    [Fact]
    public void The_cpu_is_measured_between_two_looks()
    {
        using var machine = new Machine();
        var gauges = new Gauges(machine.Root);
        machine.Cpu("cpu  100 0 100 800 0 0 0 0 0 0");
        gauges.Cpu().ShouldBeNull();
        machine.Cpu("cpu  130 0 120 850 0 0 0 0 0 0");
        gauges.Cpu().ShouldBe(50);
        gauges.Cpu().ShouldBeNull();
    }

    [Fact]
    public void Nothing_is_watched_for_who_asks_for_nothing() =>
        AlarmLoop.Slice(new DeviceConfigurationMessage { Configuration = new DeviceConfiguration { Monitors = [] } }).ShouldBeNull();

    [Fact]
    public void This_machine_can_be_measured()
    {
        Gauges.Disk("/").ShouldNotBeNull().ShouldBeInRange(0, 100);
        new Gauges("/").Memory().ShouldNotBeNull().ShouldBeInRange(0, 100);
    }

    private sealed class Machine : IDisposable
    {
        public Machine() => Directory.CreateDirectory(Path.Combine(Root, "proc"));

        public string Root { get; } = Directory.CreateTempSubdirectory("flotta-gauges-").FullName;

        public void Memory(int used) => Write("meminfo", $"MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: {10 * (100 - used)} kB\n");

        public void Cpu(string line) => Write("stat", line + "\ncpu0 1 1 1 1\n");

        public void Dispose() => Directory.Delete(Root, recursive: true);

        // The loop reads at the same time.
        private void Write(string name, string text)
        {
            File.WriteAllText(Path.Combine(Root, name), text);
            File.Move(Path.Combine(Root, name), Path.Combine(Root, "proc", name), overwrite: true);
        }
    }
}
