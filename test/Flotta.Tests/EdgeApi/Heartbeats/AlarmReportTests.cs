using Flotta.EdgeApi.Heartbeats;
using Flotta.Resources;
using Flotta.Wire;

namespace Flotta.Tests.EdgeApi.Heartbeats;

public sealed class AlarmReportTests
{
    private static readonly Condition Connected = new() { Type = "Connected", Status = "True" };

    [Fact]
    public void An_alarm_is_a_condition_of_its_own_and_goes_with_its_monitor()
    {
        var at = DateTimeOffset.UnixEpoch;
        var conditions = AlarmReport.Apply([Connected], [new AlarmStatus { Name = "disk", Active = true, Message = "full" }, new AlarmStatus { Name = "cpu", Active = false }], at)!;
        conditions.Select(one => (one.Type, one.Status)).ShouldBe([("Connected", "True"), ("alarm/disk", "True"), ("alarm/cpu", "False")]);
        conditions[1].Message.ShouldBe("full");
        conditions = AlarmReport.Apply(conditions, [new AlarmStatus { Name = "disk", Active = false, Message = "room" }], at.AddHours(1))!;
        conditions.Select(one => (one.Type, one.Status)).ShouldBe([("Connected", "True"), ("alarm/disk", "False")]);
        conditions[1].LastTransitionTime.ShouldBe(at.AddHours(1));
        AlarmReport.Apply(conditions, null, at)!.ShouldHaveSingleItem();
    }

    [Fact]
    public void The_same_alarms_change_nothing()
    {
        AlarmStatus[] alarms = [new() { Name = "disk", Active = true, Message = "full" }];
        var conditions = AlarmReport.Apply([Connected], alarms, DateTimeOffset.UnixEpoch);
        AlarmReport.Apply(conditions, alarms, DateTimeOffset.UnixEpoch.AddHours(1)).ShouldBeSameAs(conditions);
        IReadOnlyList<Condition> none = [Connected];
        AlarmReport.Apply(none, null, DateTimeOffset.UnixEpoch).ShouldBeSameAs(none);
    }

    [Fact]
    public void A_device_cannot_make_any_condition_it_likes()
    {
        var alarms = Enumerable.Range(0, 100).Select(index => new AlarmStatus { Name = $"a{index}", Active = true }).Prepend(new AlarmStatus { Name = "Bad Name\n", Active = true }).Append(new AlarmStatus());
        AlarmReport.Apply(null, [.. alarms], DateTimeOffset.UnixEpoch)!.Count.ShouldBe(20);
    }
}
