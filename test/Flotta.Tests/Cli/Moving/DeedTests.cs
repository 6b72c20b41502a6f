using System.Text.Json.Nodes;
using Flotta.Cli;
using Flotta.Cli.Moving;
using Flotta.Kube;
using Flotta.Tests.ApiServer;

namespace Flotta.Tests.Cli.Moving;

public sealed class DeedTests
{
    private static readonly Fingerprint Whole = new("body", "status", [new("v1", "Secret", "s", false, false)], false, "1");

    [Fact]
    public void What_is_not_there_is_created_unless_it_was_there_before() =>
        (Deed.For(Whole, null, made: false).Act, Deed.For(Whole, null, made: true).Act).ShouldBe((Act.Create, Act.Gone));

    [Fact]
    public void What_lacks_its_status_its_owners_or_its_deletion_is_completed()
    {
        Deed.For(Whole, Whole with { Uid = "2" }, made: true).Act.ShouldBe(Act.Nothing);
        Deed.For(Whole, Whole with { Status = "" }, made: true).Act.ShouldBe(Act.Complete);
        Deed.For(Whole, Whole with { Owners = [] }, made: true).Act.ShouldBe(Act.Complete);
        Deed.For(Whole with { Deleting = true }, Whole, made: true).Act.ShouldBe(Act.Complete);
    }

    [Fact]
    public void What_says_something_else_there_is_left()
    {
        Deed.For(Whole, Whole with { Body = "other" }, made: false).Act.ShouldBe(Act.Differs);
        Deed.For(Whole, Whole with { Status = "other" }, made: true).Act.ShouldBe(Act.Differs);
        Deed.For(Whole with { Status = "" }, Whole, made: true).Act.ShouldBe(Act.Differs);
        Deed.For(Whole, Whole with { Deleting = true }, made: true).Act.ShouldBe(Act.Differs);
    }

    [Theory]
    [InlineData("""{"metadata":{"name":"a","uid":"1","resourceVersion":"7","creationTimestamp":"2026-01-01T00:00:00Z","labels":{}},"spec":{"x":1.0,"y":null}}""", """{"spec":{"x":1},"metadata":{"generation":4,"name":"a","managedFields":[]}}""", true)]
    [InlineData("""{"metadata":{"name":"a"},"spec":{"x":[]}}""", """{"metadata":{"name":"a"},"spec":{}}""", false)]
    [InlineData("""{"metadata":{"name":"a","labels":{"l":""}},"spec":{}}""", """{"metadata":{"name":"a"},"spec":{}}""", false)]
    [InlineData("""{"metadata":{"name":"a"},"spec":{"list":[1,2]}}""", """{"metadata":{"name":"a"},"spec":{"list":[2,1]}}""", false)]
    [InlineData("""{"metadata":{"name":"a","generation":7},"status":{"conditions":[{"observedGeneration":7}]}}""", """{"metadata":{"name":"a","generation":1},"status":{"conditions":[{"observedGeneration":1}]}}""", true)]
    [InlineData("""{"metadata":{"name":"a","generation":7},"status":{"conditions":[{"observedGeneration":6}]}}""", """{"metadata":{"name":"a","generation":1},"status":{"conditions":[{"observedGeneration":1}]}}""", false)]
    public void A_fingerprint_is_of_what_an_object_says_and_not_of_where_it_is(string one, string other, bool same) =>
        (Print(MovedKind.Devices, one).Whole == Print(MovedKind.Devices, other).Whole).ShouldBe(same);

    [Fact]
    public void An_empty_value_of_a_Secret_counts_and_an_empty_field_of_a_built_in_kind_does_not()
    {
        Print(MovedKind.Secrets, """{"metadata":{"name":"a"},"data":{"k":""}}""").Body.ShouldNotBe(Print(MovedKind.Secrets, """{"metadata":{"name":"a"},"data":{}}""").Body);
        Print(MovedKind.RoleBindings, """{"metadata":{"name":"a"},"subjects":[{"kind":"User","name":"u","namespace":""}]}""").Body
            .ShouldBe(Print(MovedKind.RoleBindings, """{"metadata":{"name":"a"},"subjects":[{"kind":"User","name":"u"}]}""").Body);
    }

    [Fact]
    public void An_installation_that_has_moved_does_not_start_by_accident()
    {
        using var folder = new TemporaryFolder();
        Journal.RefuseWhereMoved(folder.Path);
        using (var journal = Journal.Read(folder.Path, Journal.ToCluster))
        {
            journal.Begin("to https://cluster");
            journal.Made(MovedKind.Devices, new ObjectKey("shop", "till"));
        }

        Should.Throw<FailureException>(() => Journal.RefuseWhereMoved(folder.Path)).Message.ShouldContain("run the same command again");
        using (var again = Journal.Read(folder.Path, Journal.ToCluster))
        {
            again.Has(MovedKind.Devices, new ObjectKey("shop", "till")).ShouldBeTrue();
            Should.Throw<FailureException>(() => again.Begin("to https://another")).Message.ShouldContain("is not finished");
            again.Begin("to https://cluster");
            again.Finish();
        }

        Should.Throw<FailureException>(() => Journal.RefuseWhereMoved(folder.Path)).Message.ShouldContain("has been moved (to https://cluster)");
        using var finished = Journal.Read(folder.Path, Journal.ToCluster);
        finished.IsFinished.ShouldBeTrue();
        File.GetUnixFileMode(Path.Combine(folder.Path, Journal.ToCluster)).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private static Fingerprint Print(MovedKind kind, string json) => Fingerprint.Of(kind, JsonNode.Parse(json)!.AsObject());
}
