using System.Text;
using CsCheck;
using Flotta.Agent.Desired;
using Flotta.Agent.Files;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.Agent;

public sealed class DesiredTests : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("flotta-desired-").FullName;
    private readonly DataDirectory _folder;

    public DesiredTests() => _folder = DataDirectory.Open(_path);

    public static TheoryData<string, string> Unfit => new()
    {
        { "", "not the JSON" },
        { "null", "not a data message" },
        { "<html>", "not the JSON" },
        { """{"type":"data","directive":"device"}""", "no configuration" },
        { """{"type":"data","directive":"device","content":{}}""", "no configuration" },
        { """{"type":"data","directive":"device","content":[]}""", "not the JSON" },
        { """{"type":"data","directive":"other","content":{"version":"2","configuration":{}}}""", "not a data message" },
        { Document("2", "\"workloads\":[{\"specification\":\"x\"}]"), "no name" },
        { Document("2", "\"workloads\":[{\"name\":\"a\",\"specification\":\"x\"},{\"name\":\"a\",\"specification\":\"x\"}]"), "same name" },
        { Document("2", "\"workloads\":[{\"name\":\"a\"}]"), "neither a specification" },
        { Document("2", "\"workloads\":{\"name\":\"a\"}"), "workloads" },
        { Document("2", "\"secrets\":[null]"), "null member" },
        { Document("2", "\"device_id\":\"somebody\""), "another device" },
        { """{"type":"data","directive":"device","content":{"configuration":{}}}""", "no version" },
    };

    [Theory]
    [MemberData(nameof(Unfit))]
    public void A_document_that_will_not_do_changes_nothing_and_is_reported_once(string body, string problem)
    {
        var state = New();
        Receive(state, Document("1"), "\"1\"").ShouldBe(Receipt.Taken);
        var before = File.ReadAllText(In("desired.json"));
        List<string> reported = [];
        state.Refused += reported.Add;
        Receive(state, body, "\"2\"").ShouldBe(Receipt.Refused);
        Receive(state, body, "\"2\"").ShouldBe(Receipt.Refused);
        reported.ShouldHaveSingleItem().ShouldContain(problem);
        state.Current!.Version.ShouldBe("1");
        state.Tag.ShouldBe("\"1\"");
        File.ReadAllText(In("desired.json")).ShouldBe(before);
        Receive(state, Document("3"), "\"3\"").ShouldBe(Receipt.Taken);
        state.Problem.ShouldBeNull();
    }

    [Fact]
    public void A_version_that_changes_with_nothing_else_is_neither_written_nor_applied()
    {
        var state = New();
        Receive(state, Document("1", "\"secrets\":[]"), null);
        var written = File.GetLastWriteTimeUtc(In("desired.json"));
        var applied = 0;
        state.Changed += () => applied++;
        Receive(state, Document("2", "\"secrets\":[]"), "\"t\"").ShouldBe(Receipt.Taken);
        applied.ShouldBe(0);
        state.Current!.Version.ShouldBe("1");
        state.Tag.ShouldBe("\"t\"");
        File.GetLastWriteTimeUtc(In("desired.json")).ShouldBe(written);
    }

    [Fact]
    public void What_cannot_be_stored_is_not_applied_and_is_worth_asking_for_again()
    {
        var state = New();
        Receive(state, Document("1"), "\"1\"");
        Directory.CreateDirectory(In("desired.json.new"));
        Receive(state, Document("2", "\"secrets\":[]"), "\"2\"").ShouldBe(Receipt.Failed);
        state.Current!.Version.ShouldBe("1");
        state.Problem.ShouldNotBeNull().ShouldStartWith("it cannot be stored");
        Directory.Delete(In("desired.json.new"));
        Receive(state, Document("2", "\"workloads\":[{\"name\":\"a\",\"hold\":\"why\"}]"), "\"2\"").ShouldBe(Receipt.Taken);
        state.Problem.ShouldBeNull();
    }

    [Fact]
    public void It_is_resumed_with_its_tag()
    {
        Receive(New(), Document("1"), "\"1\"");
        var state = New();
        state.Load();
        state.Current!.Version.ShouldBe("1");
        state.Tag.ShouldBe("\"1\"");
    }

    [Fact]
    public void Truncated_and_flipped_files_fall_back_to_the_good_one_before()
    {
        var state = New();
        Receive(state, Document("1"), "\"1\"");
        Receive(state, Document("2", "\"workloads\":[{\"name\":\"a\",\"hold\":\"why\"}]"), "\"2\"");
        var good = File.ReadAllBytes(In("desired.json"));
        Gen.Select(Gen.Int[0, good.Length - 1], Gen.Int[0, 7], Gen.Bool).Sample(
            (position, bit, truncate) =>
            {
                var bad = truncate ? good[..position] : [.. good];
                if (!truncate)
                    bad[position] ^= (byte)(1 << bit);
                File.WriteAllBytes(In("desired.json"), bad);
                var loaded = New();
                loaded.Load();
                // A flipped letter of a member's name may still be the same document; never another one.
                loaded.Current.ShouldNotBeNull().Version.ShouldBeOneOf("1", "2");
                if (loaded.Current.Version == "2")
                    loaded.Tag.ShouldBe("\"2\"");
            },
            threads: 1);
    }

    [Fact]
    public void A_damaged_file_does_not_take_the_place_of_the_good_one_before()
    {
        var state = New();
        Receive(state, Document("1"), "\"1\"");
        Receive(state, Document("2", "\"secrets\":[]"), "\"2\"");
        File.WriteAllText(In("desired.json"), "{");
        state = New();
        state.Load();
        state.Current!.Version.ShouldBe("1");
        Receive(state, Document("3", "\"mount\":1"), "\"3\"");
        File.Delete(In("desired.json"));
        state = New();
        state.Load();
        state.Current!.Version.ShouldBe("1");
    }

    [Fact]
    public void Of_two_damaged_files_nothing_is_resumed_rather_than_nothing_desired()
    {
        File.WriteAllText(In("desired.json"), "garbage");
        File.WriteAllText(In("desired.previous.json"), "");
        var state = New();
        var applied = 0;
        state.Changed += () => applied++;
        state.Load();
        state.Workloads.ShouldBeNull();
        applied.ShouldBe(0);
    }

    [Fact]
    public void Of_a_damaged_last_one_the_one_before_is_known_to_be_old_until_the_server_speaks()
    {
        var first = New();
        Receive(first, Document("1"), "\"1\"");
        Receive(first, Document("2", "\"secrets\":[]"), "\"2\"");
        first.IsOutdated.ShouldBeFalse();
        File.WriteAllText(In("desired.json"), "garbage");
        var state = New();
        state.Load();
        (state.Current!.Version, state.Tag, state.IsOutdated, state.Workloads!.IsOutdated).ShouldBe(("1", null, true, true));

        // Also when the server has gone back to what this device had before: it has said so.
        var applied = 0;
        state.Changed += () => applied++;
        Receive(state, Document("3"), "\"3\"").ShouldBe(Receipt.Taken);
        (state.IsOutdated, state.Workloads!.IsOutdated, applied).ShouldBe((false, false, 1));
        var next = New();
        next.Load();
        (next.Current!.Version, next.Tag, next.IsOutdated).ShouldBe(("3", "\"3\"", false));
    }

    [Fact]
    public void What_a_held_workload_keeps_is_on_disk_and_the_same_once_more_is_no_news()
    {
        const string Held = "\"workloads\":[{\"name\":\"a\",\"hold\":\"why\"}]";
        var state = New();
        Receive(state, Document("1", "\"workloads\":[{\"name\":\"a\",\"specification\":\"x\",\"log_collection\":\"central\"}]"), "\"1\"");
        Receive(state, Document("2", Held), "\"2\"").ShouldBe(Receipt.Taken);
        state = New();
        state.Load();
        var workload = state.Current!.Workloads.ShouldHaveSingleItem();
        (workload.Hold, workload.LogCollection, state.Tag).ShouldBe(("why", "central", "\"2\""));
        var applied = 0;
        state.Changed += () => applied++;
        Receive(state, Document("3", Held), "\"3\"").ShouldBe(Receipt.Taken);
        (applied, state.Current!.Version).ShouldBe((0, "2"));
    }

    public void Dispose()
    {
        _folder.Dispose();
        Directory.Delete(_path, recursive: true);
    }

    private static string Document(string version, string more = "\"nothing\":1") =>
        $$$"""{"type":"data","directive":"device","content":{"version":"{{{version}}}","configuration":{"mounts":[]},{{{more}}}}}""";

    private static Receipt Receive(DesiredState state, string body, string? tag) =>
        state.ReceiveAsync(Encoding.UTF8.GetBytes(body), tag, CancellationToken.None).GetAwaiter().GetResult();

    private DesiredState New() => new(new DesiredStore(_folder, NullLogger<DesiredStore>.Instance), "dev1", NullLogger<DesiredState>.Instance);

    private string In(string name) => Path.Combine(_path, name);
}
