using Flotta.Agent.Heartbeats;

namespace Flotta.Tests.Agent;

public sealed class DutyFactsTests
{
    [Fact]
    public void What_cannot_be_delivered_is_told_by_kind_with_each_target_that_is_to_blame()
    {
        var facts = new DutyFacts();
        var told = 0;
        facts.Changed += () => told++;
        facts.Deliveries.ShouldBeNull();
        facts.Delivers("logs", "central", null);
        facts.Delivers("logs", "archive", "no route");
        facts.Delivers("metrics", "receiver", null);
        facts.Delivers("metrics", "receiver", null);
        told.ShouldBe(3, "the same is no news");
        facts.Deliveries!.Select(one => (one.Kind, one.Delivered, one.Message)).ShouldBe([("logs", false, "archive: no route"), ("metrics", true, null)]);
        facts.Delivers("logs", "central", "refused");
        facts.Deliveries![0].Message.ShouldBe("archive: no route; central: refused");
        facts.DeliversOnlyTo("logs", ["central"]);
        facts.Deliveries![0].Message.ShouldBe("central: refused");
        facts.DeliversOnlyTo("logs", []);
        facts.DeliversOnlyTo("metrics", []);
        facts.Deliveries.ShouldBeNull();
    }
}
