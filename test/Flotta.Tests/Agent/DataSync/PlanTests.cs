using Flotta.Agent.DataSync;

namespace Flotta.Tests.Agent.DataSync;

public sealed class PlanTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 29, 12, 0, 0, TimeSpan.Zero);
    private static readonly DataRoute Out = new("out", "backup/till-07", []);
    private static readonly DataRoute In = new("in", "prices", []);

    [Fact]
    public void A_file_that_is_new_is_sent_under_the_target_and_its_path_below_the_source()
    {
        var plan = Egress(Out, [File("out/a.txt"), File("out/deep/b.txt")]);
        plan.Send.Select(one => one.Key).ShouldBe(["backup/till-07/a.txt", "backup/till-07/deep/b.txt"]);
    }

    [Fact]
    public void What_was_sent_is_not_sent_again_until_its_size_or_time_changes()
    {
        var before = new Synced("out/a.txt", "backup/till-07/a.txt", 10, Nanoseconds(Now.AddHours(-1)), "tag");
        Egress(Out, [File("out/a.txt")], [before]).Send.ShouldBeEmpty();
        Egress(Out, [File("out/a.txt", size: 11)], [before]).Send.ShouldHaveSingleItem();
        Egress(Out, [File("out/a.txt", age: TimeSpan.FromMinutes(1))], [before]).Send.ShouldHaveSingleItem();
    }

    [Fact]
    public void A_file_that_is_being_written_waits_but_not_for_ever()
    {
        var growing = File("out/log", age: TimeSpan.FromSeconds(1));
        var plan = Egress(Out, [growing]);
        plan.Send.ShouldBeEmpty();
        plan.Unsettled.ShouldBe(["out/log"]);
        EgressPlan.Of(Out, [growing], static (_, _) => null, null, static _ => true, Now).Send.ShouldHaveSingleItem();
    }

    [Fact]
    public void A_file_from_the_future_is_sent_since_a_wrong_clock_is_no_reason_to_wait() => Egress(Out, [File("out/a", age: TimeSpan.FromDays(-1))]).Send.ShouldHaveSingleItem();

    [Fact]
    public void A_bucket_of_the_originals_is_not_filled_again()
    {
        Dictionary<string, RemoteObject> bucket = new(StringComparer.Ordinal)
        {
            ["backup/till-07/same"] = new("backup/till-07/same", 10, "t", Now),
            ["backup/till-07/shorter"] = new("backup/till-07/shorter", 9, "t", Now),
            ["backup/till-07/older"] = new("backup/till-07/older", 10, "t", Now.AddDays(-1)),
        };
        var plan = EgressPlan.Of(Out, [File("out/missing"), File("out/older"), File("out/same"), File("out/shorter")], static (_, _) => null, bucket, static _ => false, Now);
        plan.Send.Select(one => one.File.Path).ShouldBe(["out/missing", "out/older", "out/shorter"]);
        plan.Known.ShouldHaveSingleItem().Path.ShouldBe("out/same");
    }

    [Fact]
    public void What_was_deleted_in_the_bucket_is_sent_again_when_somebody_looks()
    {
        var before = new Synced("out/a", "backup/till-07/a", 10, Nanoseconds(Now.AddHours(-1)), "tag");
        EgressPlan.Of(Out, [File("out/a")], Remember([before]), new Dictionary<string, RemoteObject>(StringComparer.Ordinal), static _ => false, Now).Send.ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("report.txt", "x/report.txt", false, "x/report.txt")]
    [InlineData("report.txt", "x", true, "x/report.txt")]
    [InlineData("report.txt", "", false, "report.txt")]
    public void A_source_that_is_one_file_becomes_the_target_or_goes_below_it(string source, string target, bool into, string key) =>
        Egress(new DataRoute(source, target, []) { IntoFolder = into }, [File(source)]).Send.ShouldHaveSingleItem().Key.ShouldBe(key);

    [Fact]
    public void An_object_that_is_missing_on_the_device_or_was_replaced_in_the_bucket_is_fetched()
    {
        var plan = Ingress([Object("prices/new"), Object("prices/same"), Object("prices/replaced")], [Known("same", "tag"), Known("replaced", "old")], [File("in/same"), File("in/replaced")]);
        plan.Fetch.Select(one => one.Path).ShouldBe(["in/new", "in/replaced"]);
    }

    [Fact]
    public void What_the_workload_made_of_a_file_is_left_to_it_until_the_object_changes() =>
        Ingress([Object("prices/edited")], [Known("edited", "tag")], [File("in/edited", size: 99)]).Fetch.ShouldBeEmpty();

    [Fact]
    public void A_file_that_is_there_already_is_not_fetched_even_if_nothing_is_remembered()
    {
        var plan = Ingress([Object("prices/a")], [], [File("in/a", age: TimeSpan.FromHours(1))]);
        plan.Fetch.ShouldBeEmpty();
        plan.Known.ShouldHaveSingleItem();
    }

    [Fact]
    public void No_more_is_fetched_than_the_quota_allows_and_the_rest_is_named()
    {
        var plan = IngressPlan.Of(In, [Object("prices/a", 2 << 20), Object("prices/b", 9 << 20), Object("prices/c", 1 << 20)], static (_, _) => null, static _ => null, 4 << 20, 0);
        plan.Fetch.Select(one => one.Path).ShouldBe(["in/a", "in/c"]);
        plan.Problems.ShouldHaveSingleItem().ShouldContain("1 objects with 9 MiB");
    }

    [Fact]
    public void A_replacement_counts_for_the_difference_only()
    {
        var plan = IngressPlan.Of(In, [Object("prices/a", 3 << 20)], static (_, _) => null, static _ => File("in/a", size: 3 << 20, age: TimeSpan.FromDays(9)), 4 << 20, 0);
        plan.Fetch.ShouldHaveSingleItem();
        plan.Bytes.ShouldBe(3 << 20);
    }

    [Theory]
    [InlineData("prices/../../etc/passwd")]
    [InlineData("prices/..")]
    [InlineData("prices/./a")]
    [InlineData("prices//etc/passwd")]
    [InlineData("prices/a\0b")]
    [InlineData("prices/a\nb")]
    [InlineData("elsewhere/a")]
    public void A_key_that_is_no_path_below_the_target_is_refused(string key)
    {
        var plan = Ingress([Object(key)], [], []);
        plan.Fetch.ShouldBeEmpty();
        plan.Problems.ShouldHaveSingleItem();
    }

    [Fact]
    public void Names_too_long_for_a_file_are_refused_and_folder_markers_are_nothing()
    {
        Ingress([Object("prices/" + new string('x', 256))], [], []).Problems.ShouldHaveSingleItem();
        var marker = Ingress([Object("prices/"), Object("prices/folder/")], [], []);
        marker.Fetch.ShouldBeEmpty();
        marker.Problems.ShouldBeEmpty();
    }

    [Fact]
    public void Many_bad_keys_are_counted_and_not_all_told() =>
        Ingress([.. Enumerable.Range(0, 500).Select(n => Object($"prices/../{n}"))], [], []).Problems.Count.ShouldBe(4);

    [Theory]
    [InlineData("*.tmp", "a/b.tmp", true)]
    [InlineData("*.tmp", "a.tmp/b", true)]
    [InlineData("cache", "deep/cache/x", true)]
    [InlineData("a/*.log", "a/x.log", true)]
    [InlineData("a/*.log", "a/b/x.log", false)]
    [InlineData("a/**", "a/b/x.log", true)]
    [InlineData("**/x.log", "x.log", true)]
    [InlineData("**/x.log", "a/b/x.log", true)]
    [InlineData("a/b", "a/b/c", true)]
    [InlineData("a/b", "a/bc", false)]
    [InlineData("?", "ab", false)]
    [InlineData("", "ab", false)]
    public void Patterns_exclude_what_they_name(string pattern, string path, bool excluded) => Exclusion.Excludes([pattern], path).ShouldBe(excluded);

    [Fact]
    public void A_malicious_pattern_takes_no_time()
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        Exclusion.Excludes([string.Concat(Enumerable.Repeat("**/", 12)) + "b"], string.Concat(Enumerable.Repeat("a/", 60)) + "c");
        Exclusion.Excludes([string.Concat(Enumerable.Repeat("*a", 100)) + "b"], new string('a', 5000));
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(5));
    }

    private static EgressPlan Egress(DataRoute route, IReadOnlyList<LocalFile> files, IReadOnlyList<Synced>? remembered = null) =>
        EgressPlan.Of(route, files, Remember(remembered ?? []), null, static _ => false, Now);

    private static IngressPlan Ingress(IReadOnlyList<RemoteObject> objects, IReadOnlyList<Synced> remembered, IReadOnlyList<LocalFile> files) =>
        IngressPlan.Of(In, objects, Remember(remembered), path => files.FirstOrDefault(file => file.Path == path), null, 0);

    private static Func<string, string, Synced?> Remember(IReadOnlyList<Synced> all) => (path, key) => all.FirstOrDefault(one => one.Path == path && one.Key == key);

    private static Synced Known(string name, string tag) => new("in/" + name, "prices/" + name, 10, 1, tag);

    private static RemoteObject Object(string key, long size = 10) => new(key, size, "tag", Now.AddDays(-1));

    private static LocalFile File(string path, long size = 10, TimeSpan? age = null) => new(path, size, Nanoseconds(Now - (age ?? TimeSpan.FromHours(1))));

    private static long Nanoseconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks * 100;
}
