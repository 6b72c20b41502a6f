using Flotta.EdgeApi.Heartbeats;
using Flotta.Resources;
using Flotta.Wire;

namespace Flotta.Tests.EdgeApi.Heartbeats;

public sealed class DeliveryReportTests
{
    private static readonly DateTimeOffset At = DateTimeOffset.UnixEpoch;
    private static readonly Condition Connected = new() { Type = "Connected", Status = "True" };

    [Fact]
    public void What_does_not_arrive_is_a_condition_until_it_does_and_as_long_as_it_is_spoken_of()
    {
        var conditions = DeliveryReport.Apply([Connected], [new DeliveryStatus { Kind = "logs", Delivered = false, Message = "central: no route" }, new DeliveryStatus { Kind = "metrics", Delivered = true }], At)!;
        conditions.Select(one => (one.Type, one.Status, one.Reason, one.Message)).ShouldBe(
            [("Connected", "True", null, null), ("MetricsDelivered", "True", "Delivered", null), ("LogsDelivered", "False", "Unreachable", "central: no route")]);
        conditions = DeliveryReport.Apply(conditions, [new DeliveryStatus { Kind = "logs", Delivered = true }], At.AddHours(1))!;
        conditions.Select(one => (one.Type, one.Status)).ShouldBe([("Connected", "True"), ("LogsDelivered", "True")]);
        conditions[1].LastTransitionTime.ShouldBe(At.AddHours(1));
        DeliveryReport.Apply(conditions, null, At)!.ShouldHaveSingleItem();
    }

    [Fact]
    public void The_same_news_change_nothing_and_a_device_names_no_condition_of_its_own()
    {
        DeliveryStatus[] said = [new() { Kind = "logs", Delivered = false, Message = "central: no route" }];
        var conditions = DeliveryReport.Apply([Connected], said, At);
        DeliveryReport.Apply(conditions, said, At.AddHours(1)).ShouldBeSameAs(conditions);
        IReadOnlyList<Condition> none = [Connected];
        DeliveryReport.Apply(none, [new DeliveryStatus { Kind = "Connected", Delivered = false }, new DeliveryStatus { Kind = "logs" }, new DeliveryStatus()], At).ShouldBeSameAs(none);
        DeliveryReport.Apply(null, [new DeliveryStatus { Kind = "logs", Delivered = false, Message = new string('x', 5000) }], At)![0].Message!.Length.ShouldBe(1024);
    }
}
