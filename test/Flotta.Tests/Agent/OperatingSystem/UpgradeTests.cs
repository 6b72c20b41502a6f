using Flotta.Agent.OperatingSystem;

namespace Flotta.Tests.Agent.OperatingSystem;

/// <summary>The state machine, without a machine.</summary>
public sealed class UpgradeTests
{
    private const string Old = "old";
    private const string New = "new";
    private static readonly UpgradeWish Wish = new(New, Automatic: true);

    [Fact]
    public void An_upgrade_goes_through_every_stage_and_counts_once_the_server_was_reached()
    {
        var machine = new Machine();
        machine.Turn().ShouldBe((Stage.Staging, Deed.Stage));
        machine.Turn().ShouldBe((Stage.Staging, Deed.Stage));
        machine.Pending = New;
        machine.Turn().ShouldBe((Stage.Staged, Deed.Wait));
        machine.Turn().ShouldBe((Stage.Rebooting, Deed.Reboot));
        machine.Boot(New);
        machine.Turn().ShouldBe((Stage.Verifying, Deed.Wait));
        machine.Turn().ShouldBe((Stage.Verifying, Deed.Wait));
        machine.Reached = true;
        machine.Turn().ShouldBe((Stage.Idle, Deed.Wait));
        machine.Record.LastStatus.ShouldBe("succeeded");
        machine.Turn().ShouldBe((Stage.Idle, Deed.Wait));
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("", true)]
    [InlineData(Old, true)]
    [InlineData(New, false)]
    public void Nothing_is_done_without_a_wish_for_another_commit_and_the_switch(string? commit, bool automatic) =>
        new Machine { Wish = new(commit, automatic) }.Turn().ShouldBe((Stage.Idle, Deed.Wait));

    [Fact]
    public void A_machine_that_comes_up_with_the_old_commit_has_failed_and_does_not_try_the_same_again()
    {
        var machine = Rebooting();
        machine.Boot(Old);
        machine.Turn().ShouldBe((Stage.Idle, Deed.Wait));
        machine.Record.LastStatus.ShouldBe("failed");
        machine.Turn().ShouldBe((Stage.Idle, Deed.Wait));
        machine.Wish = new("newer", true);
        machine.Turn().ShouldBe((Stage.Staging, Deed.Stage));
    }

    [Fact]
    public void A_commit_that_failed_is_tried_again_once_another_was_asked_for_even_the_one_that_runs()
    {
        var machine = Rebooting();
        machine.Boot(Old);
        machine.Turn();
        machine.Wish = new(null, true);
        machine.Turn();
        machine.Wish = Wish;
        machine.Turn().ShouldBe((Stage.Idle, Deed.Wait), "nothing is not another one");
        machine.Wish = new(Old, true);
        machine.Turn().ShouldBe((Stage.Idle, Deed.Wait));
        machine.Wish = Wish;
        machine.Turn().ShouldBe((Stage.Staging, Deed.Stage));
    }

    [Fact]
    public void A_commit_that_does_not_reach_the_server_in_time_is_taken_back()
    {
        var machine = Rebooting();
        machine.Boot(New);
        machine.Turn();
        machine.Uptime = Upgrade.Trial;
        machine.Turn().ShouldBe((Stage.Verifying, Deed.Wait));
        machine.Uptime += TimeSpan.FromSeconds(1);
        machine.Turn().ShouldBe((Stage.RollingBack, Deed.TakeBack));
        machine.Boot(Old);
        machine.Turn().ShouldBe((Stage.Idle, Deed.Wait));
        machine.Record.ShouldSatisfyAllConditions(record => record.LastStatus.ShouldBe("failed"), record => record.Failed.ShouldBe(New));
    }

    [Fact]
    public void A_boot_loop_ends_in_the_old_commit()
    {
        var machine = Rebooting();
        var deeds = new List<Deed>();
        for (var boot = 0; boot < 10 && machine.Record.Stage != Stage.RollingBack; boot++)
        {
            machine.Boot(New);
            deeds.Add(machine.Turn().Deed);
        }

        deeds.Count.ShouldBe(Upgrade.MostBoots + 1);
        deeds[^1].ShouldBe(Deed.TakeBack);
    }

    [Fact]
    public void A_machine_that_does_not_reboot_is_asked_a_few_times()
    {
        var machine = Rebooting();
        for (var again = 1; again < Upgrade.MostReboots; again++)
            machine.Turn().ShouldBe((Stage.Rebooting, Deed.Reboot));
        machine.Turn().ShouldBe((Stage.Idle, Deed.Wait));
        machine.Record.LastStatus.ShouldBe("failed");
    }

    [Fact]
    public void What_cannot_be_taken_back_is_given_up()
    {
        var machine = Rebooting();
        machine.Boot(New);
        machine.Turn();
        machine.Uptime = Upgrade.Trial * 2;
        machine.Turn();
        for (var again = 1; again < Upgrade.MostReboots; again++)
            machine.Turn().ShouldBe((Stage.RollingBack, Deed.TakeBack));
        machine.Turn().ShouldBe((Stage.Idle, Deed.Wait));
    }

    [Theory]
    [InlineData("other", true)]
    [InlineData(New, false)]
    public void Until_the_reboot_a_person_may_change_their_mind(string commit, bool automatic)
    {
        var machine = new Machine();
        machine.Turn();
        machine.Pending = New;
        machine.Turn();
        machine.Record.Stage.ShouldBe(Stage.Staged);
        machine.Wish = new(commit, automatic);
        machine.Turn().ShouldBe((Stage.Idle, Deed.Wait));
        machine.Record.LastStatus.ShouldBeNull();
    }

    [Fact]
    public void A_wish_that_ends_does_not_leave_a_trial_without_an_end()
    {
        var machine = Rebooting();
        machine.Boot(New);
        machine.Turn();
        machine.Wish = new(null, false);
        machine.Reached = true;
        machine.Turn().ShouldBe((Stage.Idle, Deed.Wait));
        machine.Record.LastStatus.ShouldBe("succeeded");
    }

    [Fact]
    public void An_image_counts_by_its_digest() => Upgrade.Same("quay.io/shop/os@sha256:AB", "sha256:ab").ShouldBeTrue();

    /// <summary>Whatever happens in whatever order: only legal steps, and never more reboots than the bounds allow.</summary>
    [Fact]
    public void No_order_of_events_makes_an_illegal_step_or_an_endless_loop()
    {
        for (var seed = 0; seed < 500; seed++)
        {
            var random = new Random(seed);
            var machine = new Machine();
            var reboots = 0;
            for (var step = 0; step < 60; step++)
            {
                var before = machine.Record.Stage;
                var (after, deed) = machine.Turn();
                Transitions.Allows(before, after).ShouldBeTrue($"seed {seed}: {before} to {after}");
                reboots = after == Stage.Idle ? 0 : deed is Deed.Reboot or Deed.TakeBack ? reboots + 1 : reboots;
                reboots.ShouldBeLessThanOrEqualTo(2 * Upgrade.MostReboots, $"seed {seed}");
                switch (random.Next(5))
                {
                    case 0:
                        machine.Boot(random.Next(2) == 0 ? Old : New);
                        break;
                    case 1:
                        machine.Pending = New;
                        break;
                    case 2:
                        machine.Uptime += TimeSpan.FromMinutes(random.Next(20));
                        break;
                    case 3:
                        machine.Reached = random.Next(3) == 0;
                        break;
                }
            }
        }
    }

    private static Machine Rebooting()
    {
        var machine = new Machine { Pending = New };
        machine.Turn();
        machine.Turn();
        machine.Turn().ShouldBe((Stage.Rebooting, Deed.Reboot));
        return machine;
    }

    private sealed class Machine
    {
        private int boots;

        public UpgradeRecord Record { get; private set; } = UpgradeRecord.None;

        public UpgradeWish Wish { get; set; } = UpgradeTests.Wish;

        public string Booted { get; set; } = Old;

        public string? Pending { get; set; }

        public TimeSpan Uptime { get; set; } = TimeSpan.FromMinutes(1);

        public bool Reached { get; set; }

        public void Boot(string commit)
        {
            (Booted, Pending, Uptime, Reached) = (commit, null, TimeSpan.FromMinutes(1), false);
            boots++;
        }

        public (Stage Stage, Deed Deed) Turn()
        {
            var turn = Upgrade.Next(Record, Wish, new UpgradeSeen(Booted, Pending, $"boot-{boots}", Uptime, Reached, DateTimeOffset.UnixEpoch));
            Transitions.Allows(Record.Stage, turn.Record.Stage).ShouldBeTrue();
            Record = turn.Record;
            return (Record.Stage, turn.Deed);
        }
    }
}
