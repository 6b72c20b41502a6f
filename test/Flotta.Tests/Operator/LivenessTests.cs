using Flotta.Operator.Devices;
using Flotta.Resources;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Operator;

public sealed class LivenessTests
{
    private readonly FakeTimeProvider time = new();

    [Fact]
    public void A_replica_lives_as_long_as_its_lease_changes_within_its_duration()
    {
        var pulse = Feel(null, Lease("1"));
        time.Advance(TimeSpan.FromSeconds(20));
        pulse = Feel(pulse, Lease("2"));
        time.Advance(TimeSpan.FromSeconds(20));
        Left(pulse).ShouldBe(TimeSpan.FromSeconds(10));
        pulse = Feel(pulse, Lease("2"));
        time.Advance(TimeSpan.FromSeconds(10));
        Left(pulse).ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public void Times_that_another_machine_wrote_mean_nothing()
    {
        var lease = Lease("1");
        lease.Spec.RenewTime = new DateTime(1999, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        Left(Feel(null, lease)).ShouldBe(TimeSpan.FromSeconds(30));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_lease_that_is_missing_or_given_back_gets_a_little_patience(bool givenBack)
    {
        var pulse = Feel(null, Lease("1"));
        var absent = givenBack ? new V1Lease { Metadata = new() { ResourceVersion = "2" }, Spec = new() { HolderIdentity = "" } } : null;
        pulse = Feel(pulse, absent);
        Left(pulse).ShouldBe(ReplicaPulse.Grace);
        time.Advance(ReplicaPulse.Grace);
        Left(Feel(pulse, absent)).ShouldBe(TimeSpan.Zero);
        Left(Feel(pulse, Lease("3"))).ShouldBe(TimeSpan.FromSeconds(30));
    }

    [Theory]
    [InlineData("replica", "True", true)]
    [InlineData("replica", "False", false)]
    [InlineData("replica", "Unknown", false)]
    [InlineData("replica", null, false)]
    [InlineData("another", "True", false)]
    public void Only_connected_devices_of_the_dead_replica_are_marked(string replica, string? connected, bool marked)
    {
        var device = new EdgeDevice
        {
            Status = new()
            {
                ConnectedTo = replica,
                Conditions = connected is null ? null : [new() { Type = "UpToDate", Status = "True" }, new() { Type = "Connected", Status = connected }],
            },
        };
        var conditions = Silence.Conditions(device, "replica", time.GetUtcNow());
        (conditions is not null).ShouldBe(marked);
        conditions?.Select(condition => (condition.Type, condition.Status)).ShouldBe([("UpToDate", "True"), ("Connected", "Unknown")]);
    }

    private ReplicaPulse Feel(ReplicaPulse? before, V1Lease? lease) => ReplicaPulse.Feel(before, lease, time.GetTimestamp());

    private TimeSpan Left(ReplicaPulse pulse) => pulse.Left(time.GetTimestamp(), time);

    private static V1Lease Lease(string version) =>
        new() { Metadata = new() { ResourceVersion = version }, Spec = new() { HolderIdentity = "replica", LeaseDurationSeconds = 30 } };
}
