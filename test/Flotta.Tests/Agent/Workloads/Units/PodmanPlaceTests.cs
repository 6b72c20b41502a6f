using Flotta.Agent;
using Flotta.Agent.Workloads;

namespace Flotta.Tests.Agent.Workloads.Units;

/// <summary>Whose podman runs the workloads.</summary>
public sealed class PodmanPlaceTests
{
    private const string Accounts = "root:x:0:0:root:/root:/bin/bash\n# a comment\nbroken:x:many:1::/x:/y\nflotta:x:997:996::/home/flotta:/usr/sbin/nologin\n";
    private static readonly Account Flotta = Account.Named(Accounts, "flotta")!;
    private static readonly Surroundings Bare = new(Choice.Auto, null, null, "flotta", null, false, null);
    private static readonly Surroundings Ready = Bare with { User = Flotta, Lingers = true };

    [Fact]
    public void Without_a_user_that_lingers_it_is_roots()
    {
        PodmanPlace.Choose(Bare).ShouldBe(new PodmanPlace("/run/podman/podman.sock", null));
        PodmanPlace.Choose(Bare with { User = Flotta }).User.ShouldBeNull();
    }

    [Fact]
    public void With_one_it_is_that_users()
    {
        var place = PodmanPlace.Choose(Ready);
        (place.Socket, place.User, place.Name, place.IsUsual).ShouldBe(("/run/user/997/podman/podman.sock", Flotta, "flotta", true));
    }

    [Fact]
    public void A_user_that_appears_later_changes_nothing_and_neither_does_one_that_stops_lingering()
    {
        PodmanPlace.Choose(Ready with { Before = "root" }).User.ShouldBeNull();
        PodmanPlace.Choose(Ready with { Before = "flotta", Lingers = false }).User.ShouldBe(Flotta);
    }

    [Fact]
    public void A_setting_wins_over_what_the_machine_looks_like()
    {
        PodmanPlace.Choose(Ready with { Rootless = Choice.Off }).User.ShouldBeNull();
        PodmanPlace.Choose(Bare with { Rootless = Choice.On, User = Flotta, Before = "root" }).User.ShouldBe(Flotta);
        Should.Throw<AgentStartException>(() => PodmanPlace.Choose(Bare with { Rootless = Choice.On })).Message.ShouldContain("no user flotta");
        Should.Throw<AgentStartException>(() => PodmanPlace.Choose(Bare with { Before = "flotta" })).Message.ShouldContain("no user flotta");
    }

    [Fact]
    public void A_socket_that_is_named_says_whose_it_is()
    {
        PodmanPlace.OwnerOf("/run/user/997/podman/podman.sock").ShouldBe(997u);
        PodmanPlace.OwnerOf("/run/podman/podman.sock").ShouldBeNull();
        PodmanPlace.OwnerOf("/run/user/../podman.sock").ShouldBeNull();
        var asked = PodmanPlace.Choose(Bare with { Socket = "/run/user/997/podman/podman.sock", SocketOwner = Flotta });
        (asked.User, asked.IsUsual).ShouldBe((Flotta, true));
        var own = PodmanPlace.Choose(Ready with { Socket = "/tmp/podman.sock" });
        (own.User, own.IsUsual).ShouldBe((null, false));
        Should.Throw<AgentStartException>(() => PodmanPlace.Choose(Bare with { Socket = "/run/user/997/podman/podman.sock", SocketOwner = Flotta, Rootless = Choice.Off }));
    }

    [Fact]
    public void Accounts_are_read_as_the_system_writes_them()
    {
        Flotta.ShouldBe(new Account("flotta", 997, 996, "/home/flotta"));
        Account.WithId(Accounts, 0)!.Name.ShouldBe("root");
        Account.Named(Accounts, "broken").ShouldBeNull();
        Account.Named(Accounts, "nobody").ShouldBeNull();
    }
}
