using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Flotta.Agent.DataSync;
using Flotta.Agent.Duties;
using Flotta.Agent.Heartbeats;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.Agent.DataSync;

/// <summary>Rounds between a real folder and a bucket that is strict, and can be made to fail.</summary>
public sealed class SyncTests : IDisposable
{
    private static readonly RoundOrder Both = new(Egress: true, List: true, Ingress: true, static _ => true, null);
    private static readonly WorkloadData Data = new("till", [new DataRoute("out", "backup", [])], [new DataRoute("in", "prices", [])]);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("flotta-");
    private readonly Report _report = new();
    private readonly DataStates _states = new();
    private readonly TransferCounters _counters = new();

    public SyncTests()
    {
        Directory.CreateDirectory(Export("out"));
        Directory.CreateDirectory(Places.Folder);
    }

    private SyncPlaces Places => new(Path.Combine(_folder.FullName, "volumes"), Path.Combine(_folder.FullName, "data-sync"));

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Files_go_out_and_objects_come_in_and_the_second_round_transfers_nothing()
    {
        await using var bucket = await BucketStandIn.StartAsync();
        Write("out/a b/ü+$&.txt", "hello");
        Write("out/empty", "");
        bucket.Put("prices/deep/list.csv", "1;2");
        bucket.Put("prices/empty", "");
        var first = await RoundAsync(bucket, Both);
        bucket.Wrong.ShouldBeEmpty();
        first.Problems.ShouldBeEmpty();
        (first.Sent, first.Fetched).ShouldBe((2, 2));
        bucket.Text("backup/a b/ü+$&.txt").ShouldBe("hello");
        bucket.Objects.ContainsKey("backup/empty").ShouldBeTrue();
        Read("in/deep/list.csv").ShouldBe("1;2");
        Read("in/empty").ShouldBe("");
        File.GetUnixFileMode(Export("in/deep")).ShouldBe((UnixFileMode)0b111_111_111);
        var second = await RoundAsync(bucket, Both);
        (second.Sent, second.Fetched, second.Problems.Count).ShouldBe((0, 0, 0));
        second.Listed.ShouldBe(first.Listed);
    }

    [Fact]
    public async Task What_arrived_is_counted_and_what_did_not_is_not()
    {
        await using var bucket = await BucketStandIn.StartAsync();
        Write("out/a", "hello");
        Write("out/b", "you");
        Write("out/refused", "no");
        bucket.Put("prices/c", "1;2");
        bucket.Put("prices/../d", "no path");
        bucket.Instead = async context =>
        {
            if (!context.Request.Path.Value!.EndsWith("/refused", StringComparison.Ordinal))
                return false;
            context.Response.StatusCode = 400;
            await context.Response.WriteAsync("<Error><Code>EntityTooLarge</Code></Error>");
            return true;
        };
        _counters.Follow([Data]);
        _counters.All.ShouldBe([new Transferred("till", "egress"), new Transferred("till", "ingress")]);
        await RoundAsync(bucket, Both);
        var (egress, ingress) = (_counters.All.Single(one => one.Direction == "egress"), _counters.All.Single(one => one.Direction == "ingress"));
        (egress.Workload, egress.Files, egress.Bytes).ShouldBe(("till", 2, 8));
        (ingress.Workload, ingress.Files, ingress.Bytes).ShouldBe(("till", 1, 3));
        egress.Time.ShouldBeGreaterThan(TimeSpan.Zero);
        ingress.Time.ShouldBeGreaterThan(TimeSpan.Zero);
        await RoundAsync(bucket, Both);
        _counters.All.Single(one => one.Direction == "egress").ShouldBe(egress);
        Write("out/a", "hello again");
        await RoundAsync(bucket, Both);
        _counters.All.Single(one => one.Direction == "egress").Bytes.ShouldBe(8 + 11);
        _counters.Follow([Data with { Ingress = [] }]);
        _counters.All.ShouldHaveSingleItem().Bytes.ShouldBe(8 + 11);
    }

    [Fact]
    public async Task Without_its_memory_nothing_is_transferred_again_either()
    {
        await using var bucket = await BucketStandIn.StartAsync();
        Write("out/a", "hello");
        // A bucket's times are cut off to milliseconds or seconds: what was written in the same one is sent again, to be sure.
        File.SetLastWriteTimeUtc(Export("out/a"), TimeProvider.System.GetUtcNow().UtcDateTime.AddMinutes(-1));
        bucket.Put("prices/b", "1");
        await RoundAsync(bucket, Both);
        File.Delete(Places.Memory("till"));
        var again = await RoundAsync(bucket, Both);
        (again.Sent, again.Fetched).ShouldBe((0, 0));
    }

    [Fact]
    public async Task What_is_exchanged_both_ways_under_the_same_keys_comes_to_rest()
    {
        await using var bucket = await BucketStandIn.StartAsync();
        var mirror = new WorkloadData("till", [new DataRoute("both", "both", [])], [new DataRoute("both", "both", [])]);
        Write("both/mine", "1");
        bucket.Put("both/theirs", "2");
        var first = await RoundAsync(bucket, Both, mirror);
        (first.Sent, first.Fetched).ShouldBe((1, 1));
        var second = await RoundAsync(bucket, Both, mirror);
        (second.Sent, second.Fetched).ShouldBe((0, 0));
    }

    [Theory]
    [InlineData("", "backup", "in/**")]
    [InlineData("", "", "in")]
    [InlineData("in", "backup", "list")]
    public async Task What_the_workload_made_of_a_file_is_left_to_it_also_where_what_goes_out_excludes_it(string source, string target, string exclude)
    {
        await using var bucket = await BucketStandIn.StartAsync();
        var data = new WorkloadData("till", [new DataRoute(source, target, [exclude])], [new DataRoute("in", "in", [])]);
        bucket.Put("in/list", "1;2");
        Write("in/other", "x");
        (await RoundAsync(bucket, Both, data)).Fetched.ShouldBe(1);
        Write("in/list", "edited");
        var second = await RoundAsync(bucket, Both, data);
        (second.Fetched, second.Problems.Count).ShouldBe((0, 0));
        Read("in/list").ShouldBe("edited");
        bucket.Text("in/list").ShouldBe("1;2");
    }

    [Fact]
    public async Task A_file_that_was_away_for_a_while_is_the_workloads_own_all_the_same()
    {
        await using var bucket = await BucketStandIn.StartAsync();
        var data = Data with { Egress = [new DataRoute("", "backup", [])] };
        bucket.Put("prices/list", "1;2");
        await RoundAsync(bucket, Both, data);
        File.Delete(Export("in/list"));
        await RoundAsync(bucket, Both with { Ingress = false }, data);
        Write("in/list", "written anew");
        (await RoundAsync(bucket, Both, data)).Fetched.ShouldBe(0);
        Read("in/list").ShouldBe("written anew");
    }

    [Fact]
    public async Task Links_out_of_the_folder_are_neither_read_nor_written_through()
    {
        await using var bucket = await BucketStandIn.StartAsync();
        var outside = _folder.CreateSubdirectory("outside");
        await File.WriteAllTextAsync(Path.Combine(outside.FullName, "secret"), "secret", TestContext.Current.CancellationToken);
        File.CreateSymbolicLink(Export("out/file"), Path.Combine(outside.FullName, "secret"));
        File.CreateSymbolicLink(Export("out/folder"), outside.FullName);
        File.CreateSymbolicLink(Export("in"), outside.FullName);
        bucket.Put("prices/planted", "x");
        bucket.Put("prices/../../escaped", "x");
        var round = await RoundAsync(bucket, Both);
        bucket.Objects.Keys.ShouldNotContain(key => key.StartsWith("backup/", StringComparison.Ordinal));
        outside.GetFiles().ShouldHaveSingleItem().Name.ShouldBe("secret");
        File.Exists(Path.Combine(_folder.FullName, "escaped")).ShouldBeFalse();
        round.Problems.ShouldContain(problem => problem.Contains("in is something else", StringComparison.Ordinal));
        round.Problems.ShouldContain(problem => problem.Contains("leaves its folder", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_source_that_is_a_link_is_nothing_to_send_and_a_target_that_is_a_link_is_replaced()
    {
        await using var bucket = await BucketStandIn.StartAsync();
        var outside = Path.Combine(_folder.FullName, "outside");
        await File.WriteAllTextAsync(outside, "secret", TestContext.Current.CancellationToken);
        File.CreateSymbolicLink(Export("link"), outside);
        Directory.CreateDirectory(Export("in"));
        File.CreateSymbolicLink(Export("in/list"), outside);
        bucket.Put("prices/list", "new");
        await RoundAsync(bucket, Both, Data with { Egress = [new DataRoute("link", "backup", [])] });
        bucket.Objects.Keys.ShouldBe(["prices/list"]);
        (await File.ReadAllTextAsync(outside, TestContext.Current.CancellationToken)).ShouldBe("secret");
        Read("in/list").ShouldBe("new");
        new FileInfo(Export("in/list")).LinkTarget.ShouldBeNull();
    }

    [Fact]
    public async Task A_large_file_goes_in_parts_and_goes_on_where_it_was_cut()
    {
        await using var bucket = await BucketStandIn.StartAsync();
        var content = RandomNumberGenerator.GetBytes(20 << 20);
        await File.WriteAllBytesAsync(Export("out/large"), content, TestContext.Current.CancellationToken);
        bucket.Instead = CutInSecondPart;
        var cut = await RoundAsync(bucket, Both);
        cut.Failed.ShouldBeTrue();
        bucket.Uploads.ShouldHaveSingleItem().Value.Count.ShouldBe(1);
        bucket.Instead = null;
        bucket.Requests.Clear();
        (await RoundAsync(bucket, Both)).Problems.ShouldBeEmpty();
        bucket.Objects["backup/large"].Content.ShouldBe(content);
        bucket.Requests.Count(request => request.Contains("partNumber=1&", StringComparison.Ordinal)).ShouldBe(0);
        bucket.Uploads.ShouldBeEmpty();
        File.Exists(Places.Uploads("till")).ShouldBeFalse();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_upload_whose_file_is_gone_or_has_changed_is_aborted(bool gone)
    {
        await using var bucket = await BucketStandIn.StartAsync();
        await File.WriteAllBytesAsync(Export("out/large"), new byte[20 << 20], TestContext.Current.CancellationToken);
        bucket.Instead = CutInSecondPart;
        await RoundAsync(bucket, Both);
        var before = bucket.Uploads.Keys.ShouldHaveSingleItem();
        bucket.Instead = null;
        if (gone)
            File.Delete(Export("out/large"));
        else
            await File.WriteAllBytesAsync(Export("out/large"), new byte[21 << 20], TestContext.Current.CancellationToken);
        await RoundAsync(bucket, Both);
        bucket.Requests.ShouldContain(request => request.StartsWith("DELETE", StringComparison.Ordinal) && request.Contains(before, StringComparison.Ordinal));
        bucket.Uploads.ShouldBeEmpty();
        bucket.Objects.ContainsKey("backup/large").ShouldBe(!gone);
    }

    [Fact]
    public async Task A_download_goes_on_where_it_was_cut_and_is_never_seen_half()
    {
        await using var bucket = await BucketStandIn.StartAsync();
        var content = RandomNumberGenerator.GetBytes(6 << 20);
        bucket.Put("prices/large", content);
        bucket.Instead = async context =>
        {
            if (!context.Request.Path.Value!.EndsWith("/large", StringComparison.Ordinal))
                return false;
            context.Response.ContentLength = content.Length;
            await context.Response.Body.WriteAsync(content.AsMemory(0, 3 << 20));
            await context.Response.Body.FlushAsync();
            await Task.Delay(500);
            context.Abort();
            return true;
        };
        (await RoundAsync(bucket, Both)).Failed.ShouldBeTrue();
        File.Exists(Export("in/large")).ShouldBeFalse();
        new FileInfo(Directory.GetFiles(Places.Incoming).ShouldHaveSingleItem()).Length.ShouldBeGreaterThan(0);
        var range = "";
        bucket.Instead = context =>
        {
            range += context.Request.Headers.Range.ToString();
            return Task.FromResult(false);
        };
        (await RoundAsync(bucket, Both)).Problems.ShouldBeEmpty();
        range.ShouldStartWith("bytes=");
        (await File.ReadAllBytesAsync(Export("in/large"), TestContext.Current.CancellationToken)).ShouldBe(content);
        Directory.GetFiles(Places.Incoming).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_arrives_with_another_checksum_or_length_does_not_arrive()
    {
        await using var bucket = await BucketStandIn.StartAsync();
        bucket.Put("prices/a", "right");
        foreach (var wrong in new[] { "wrong", "far too long", "no" })
        {
            bucket.Instead = async context =>
            {
                if (!context.Request.Path.Value!.EndsWith("/a", StringComparison.Ordinal))
                    return false;
                await context.Response.WriteAsync(wrong);
                return true;
            };
            (await RoundAsync(bucket, Both)).Failed.ShouldBeTrue();
            File.Exists(Export("in/a")).ShouldBeFalse();
        }

        // What arrived last was a beginning that could have been right: with the rest it is not, and all of it is fetched again.
        bucket.Instead = null;
        (await RoundAsync(bucket, Both)).Failed.ShouldBeTrue();
        File.Exists(Export("in/a")).ShouldBeFalse();
        (await RoundAsync(bucket, Both)).Problems.ShouldBeEmpty();
        Read("in/a").ShouldBe("right");
    }

    [Fact]
    public async Task What_parts_were_joined_to_is_compared_with_what_was_sent_and_sent_anew_when_it_is_something_else()
    {
        await using var bucket = await BucketStandIn.StartAsync();
        var content = RandomNumberGenerator.GetBytes(20 << 20);
        await File.WriteAllBytesAsync(Export("out/large"), content, TestContext.Current.CancellationToken);
        bucket.Instead = CutInSecondPart;
        await RoundAsync(bucket, Both);
        bucket.Instead = null;
        // The server loses the middle of it, and says so by the ETag and by nothing else.
        bucket.Tags["backup/large"] = BucketStandIn.TagOfParts(new byte[20 << 20], 8 << 20, 8 << 20, 4 << 20);
        var round = await RoundAsync(bucket, Both);
        round.Failed.ShouldBeTrue();
        round.Problems.ShouldHaveSingleItem().ShouldContain("out/large: what the parts were joined to is not what was sent");
        _counters.All.ShouldBeEmpty();
        File.Exists(Places.Uploads("till")).ShouldBeFalse();
        bucket.Tags.Clear();
        bucket.Requests.Clear();
        (await RoundAsync(bucket, Both with { List = false })).Problems.ShouldBeEmpty();
        bucket.Requests.Count(request => request.Contains("partNumber=", StringComparison.Ordinal)).ShouldBe(3);
        bucket.Objects["backup/large"].Content.ShouldBe(content);
    }

    [Theory]
    [InlineData("opaque")]
    [InlineData("00000000000000000000000000000000")]
    public async Task An_ETag_of_a_whole_that_says_nothing_of_its_parts_is_taken(string tag)
    {
        await using var bucket = await BucketStandIn.StartAsync();
        await File.WriteAllBytesAsync(Export("out/large"), new byte[20 << 20], TestContext.Current.CancellationToken);
        bucket.Tags["backup/large"] = tag;
        var round = await RoundAsync(bucket, Both);
        (round.Sent, round.Problems.Count).ShouldBe((1, 0));
    }

    [Theory]
    [InlineData(700)]
    [InlineData(300, 300, 100)]
    [InlineData(300, 300, 100, 0)]
    [InlineData(350, 350)]
    [InlineData(300, 100, 300)]
    [InlineData(300, 200, 100, 100)]
    public async Task An_object_of_several_parts_arrives_when_it_is_what_its_ETag_says_and_only_then(params int[] parts)
    {
        await using var bucket = await BucketStandIn.StartAsync();
        var content = RandomNumberGenerator.GetBytes(700);
        bucket.PutInParts("prices/a", content, parts);
        bucket.Tags["prices/a"] = BucketStandIn.TagOfParts([.. content[..699], (byte)~content[699]], parts);
        var round = await RoundAsync(bucket, Both);
        round.Problems.ShouldHaveSingleItem().ShouldContain("a: what arrived has another checksum");
        File.Exists(Export("in/a")).ShouldBeFalse();
        bucket.Tags.Clear();
        (await RoundAsync(bucket, Both)).Problems.ShouldBeEmpty();
        (await File.ReadAllBytesAsync(Export("in/a"), TestContext.Current.CancellationToken)).ShouldBe(content);
        bucket.Wrong.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("does not know")]
    [InlineData("encrypted")]
    [InlineData("403")]
    [InlineData("501")]
    [InlineData("nonsense")]
    public async Task Where_the_server_does_not_say_how_long_its_parts_are_an_object_of_several_parts_is_taken(string how)
    {
        await using var bucket = await BucketStandIn.StartAsync();
        bucket.PutInParts("prices/a", new byte[700], 300, 300, 100);
        bucket.Tags["prices/a"] = "00000000000000000000000000000000-3";
        bucket.TellsParts = how != "does not know";
        bucket.Instead = context =>
        {
            if (context.Request.Method != "HEAD")
                return Task.FromResult(false);
            if (int.TryParse(how, System.Globalization.CultureInfo.InvariantCulture, out var status))
                context.Response.StatusCode = status;
            if (how == "encrypted")
                context.Response.Headers["x-amz-server-side-encryption"] = "aws:kms";
            if (how == "nonsense")
            {
                context.Response.Headers.ETag = "\"00000000000000000000000000000000-3\"";
                context.Response.ContentLength = 699;
            }

            return Task.FromResult(status != 0 || how == "nonsense");
        };
        (await RoundAsync(bucket, Both)).Problems.ShouldBeEmpty();
        new FileInfo(Export("in/a")).Length.ShouldBe(700);
    }

    [Fact]
    public async Task A_download_of_several_parts_that_was_cut_is_compared_as_it_is_on_disk()
    {
        await using var bucket = await BucketStandIn.StartAsync();
        var content = RandomNumberGenerator.GetBytes(6 << 20);
        bucket.PutInParts("prices/large", content, 4 << 20, 2 << 20);
        bucket.Instead = async context =>
        {
            if (!context.Request.Path.Value!.EndsWith("/large", StringComparison.Ordinal))
                return false;
            context.Response.ContentLength = content.Length;
            await context.Response.Body.WriteAsync(content.AsMemory(0, 3 << 20));
            await context.Response.Body.FlushAsync();
            await Task.Delay(500);
            context.Abort();
            return true;
        };
        (await RoundAsync(bucket, Both)).Failed.ShouldBeTrue();
        bucket.Instead = null;
        await using (var half = new FileStream(Directory.GetFiles(Places.Incoming).ShouldHaveSingleItem(), FileMode.Open, FileAccess.Write))
            half.WriteByte((byte)~content[0]);
        (await RoundAsync(bucket, Both)).Problems.ShouldHaveSingleItem().ShouldContain("another checksum");
        File.Exists(Export("in/large")).ShouldBeFalse();
        (await RoundAsync(bucket, Both)).Problems.ShouldBeEmpty();
        (await File.ReadAllBytesAsync(Export("in/large"), TestContext.Current.CancellationToken)).ShouldBe(content);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_large_file_goes_out_though_nothing_can_be_written_down_and_leaves_nothing_in_the_bucket_when_it_is_cut(bool cut)
    {
        await using var bucket = await BucketStandIn.StartAsync();
        await File.WriteAllBytesAsync(Export("out/large"), new byte[20 << 20], TestContext.Current.CancellationToken);
        CannotBeWritten(Places.Uploads("till"));
        bucket.Instead = context => cut ? CutInSecondPart(context) : Task.FromResult(false);
        var round = await RoundAsync(bucket, Both);
        round.Failed.ShouldBe(cut);
        bucket.Uploads.ShouldBeEmpty();
        bucket.Objects.ContainsKey("backup/large").ShouldBe(!cut);
    }

    [Fact]
    public async Task What_cannot_be_remembered_is_looked_up_in_the_bucket_and_not_sent_again()
    {
        await using var bucket = await BucketStandIn.StartAsync();
        bucket.Clock = bucket.Clock.AddMinutes(1);
        await RoundAsync(bucket, Both);
        CannotBeWritten(Places.Memory("till"));
        using var stop = new CancellationTokenSource();
        var slice = Slice(bucket);
        var running = new SyncLoop(Places, _report, _states, _counters, NullLogger<SyncLoop>.Instance, TimeProvider.System)
            .RunAsync(slice with { Workloads = [slice.Workloads![0] with { Data = slice.Workloads[0].Data! with { IntervalSeconds = 1 } }] }, stop.Token);
        try
        {
            Write("out/a", "hello");
            await Until.TrueAsync(() => bucket.Text("backup/a") == "hello");
            var looks = bucket.Requests.Count(request => request.Contains("prefix=prices", StringComparison.Ordinal));
            await Until.TrueAsync(() => bucket.Requests.Count(request => request.Contains("prefix=prices", StringComparison.Ordinal)) > looks + 4);
            // Also when the first look goes wrong.
            var refused = 0;
            bucket.Instead = context =>
            {
                if (context.Request.Query["prefix"] != "backup/" || Interlocked.Increment(ref refused) > 1)
                    return Task.FromResult(false);
                context.Response.StatusCode = 503;
                return Task.FromResult(true);
            };
            Write("out/b", "hello");
            await Until.TrueAsync(() => bucket.Text("backup/b") == "hello");
            refused.ShouldBeGreaterThan(1);
            bucket.Requests.Count(request => request.StartsWith("PUT /data/backup/a", StringComparison.Ordinal)).ShouldBe(1);
        }
        finally
        {
            await stop.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(running);
        }
    }

    [Fact]
    public async Task A_bucket_that_refuses_ends_the_round_at_once_and_says_why()
    {
        await using var bucket = await BucketStandIn.StartAsync();
        bucket.SecretKey = "another";
        for (var n = 0; n < 50; n++)
            Write($"out/{n}", "x");
        var round = await RoundAsync(bucket, Both);
        round.Failed.ShouldBeTrue();
        round.Problems[0].ShouldContain("403 SignatureDoesNotMatch");
        bucket.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_device_whose_clock_is_wrong_goes_by_the_servers()
    {
        await using var bucket = await BucketStandIn.StartAsync();
        bucket.Clock = bucket.Clock.AddDays(100);
        Write("out/a", "hello");
        (await RoundAsync(bucket, Both with { Ingress = false, List = false })).Problems.ShouldBeEmpty();
        bucket.Text("backup/a").ShouldBe("hello");
    }

    [Fact]
    public async Task One_file_that_is_refused_stops_no_other()
    {
        await using var bucket = await BucketStandIn.StartAsync();
        foreach (var name in new[] { "a", "b", "c" })
            Write("out/" + name, name);
        bucket.Instead = async context =>
        {
            if (!context.Request.Path.Value!.EndsWith("/b", StringComparison.Ordinal))
                return false;
            context.Response.StatusCode = 400;
            await context.Response.WriteAsync("<Error><Code>EntityTooLarge</Code></Error>");
            return true;
        };
        var round = await RoundAsync(bucket, Both);
        bucket.Objects.Keys.Order(StringComparer.Ordinal).ShouldBe(["backup/a", "backup/c"]);
        round.Problems.ShouldHaveSingleItem().ShouldContain("b: the server answers 400 EntityTooLarge");
    }

    [Fact]
    public async Task Many_pages_are_all_read()
    {
        await using var bucket = await BucketStandIn.StartAsync();
        bucket.PageSize = 7;
        for (var n = 0; n < 50; n++)
            bucket.Put($"prices/{n:00}", "x");
        (await RoundAsync(bucket, Both)).Fetched.ShouldBe(50);
        bucket.Wrong.ShouldBeEmpty();
    }

    [Fact]
    public async Task It_runs_by_itself_follows_changes_and_lists_no_more_than_it_must()
    {
        await using var bucket = await BucketStandIn.StartAsync();
        bucket.Put("prices/a", "1");
        var loop = new SyncLoop(Places, _report, _states, _counters, NullLogger<SyncLoop>.Instance, TimeProvider.System);
        using var stop = new CancellationTokenSource();
        var running = loop.RunAsync(Slice(bucket), stop.Token);
        try
        {
            await Until.TrueAsync(() => File.Exists(Export("in/a")), () => string.Join('\n', _report.All));
            var listed = bucket.Requests.Count(request => request.Contains("list-type", StringComparison.Ordinal));
            Write("out/deep/new", "hello");
            await Until.TrueAsync(() => bucket.Text("backup/deep/new") == "hello", () => string.Join('\n', _report.All));
            await Until.TrueAsync(() => _states.All.TryGetValue("till", out var state) && state is { LastUpload: not null, Problem: null });
            bucket.Requests.Count(request => request.Contains("list-type", StringComparison.Ordinal)).ShouldBeLessThanOrEqualTo(listed + 2);
            _counters.All.Select(one => (one.Direction, one.Files)).ShouldBe([("egress", 1), ("ingress", 1)], ignoreOrder: true);
        }
        finally
        {
            await stop.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(running);
        }
    }

    [Fact]
    public async Task A_clock_that_is_set_back_puts_no_look_off()
    {
        await using var bucket = await BucketStandIn.StartAsync();
        var passes = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var time = new SetTime(passes);
        using var stop = new CancellationTokenSource();
        var running = new SyncLoop(Places, _report, _states, _counters, NullLogger<SyncLoop>.Instance, time).RunAsync(Slice(bucket), stop.Token);
        await Until.TrueAsync(() => bucket.Requests.Any(request => request.Contains("prefix=prices", StringComparison.Ordinal)));
        time.Off = TimeSpan.FromDays(-1);
        bucket.Put("prices/a", "1");
        Write("out/a", "hello");
        await Until.TrueAsync(() =>
        {
            passes.Advance(TimeSpan.FromSeconds(1));
            return File.Exists(Export("in/a")) && bucket.Text("backup/a") == "hello";
        }, () => string.Join('\n', _report.All));
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(running);
    }

    [Fact]
    public async Task What_a_workload_wrote_last_is_sent_when_it_is_gone_and_then_it_is_forgotten()
    {
        await using var bucket = await BucketStandIn.StartAsync();
        await RoundAsync(bucket, Both);
        Write("out/last", "words");
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider(TimeProvider.System.GetUtcNow());
        using var stop = new CancellationTokenSource();
        var running = new SyncLoop(Places, _report, _states, _counters, NullLogger<SyncLoop>.Instance, time).RunAsync(Slice(bucket) with { Workloads = [] }, stop.Token);
        await Until.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return running.IsCompleted;
        });
        await running;
        bucket.Text("backup/last").ShouldBe("words");
        Places.Remembered().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_bucket_that_is_none_is_told_and_nothing_is_tried()
    {
        await using var bucket = await BucketStandIn.StartAsync();
        var slice = Slice(bucket);
        var bad = slice with { Configuration = slice.Configuration! with { Storage = new(bucket.Storage with { AwsAccessKeyId = "?" }) } };
        await new SyncLoop(Places, _report, _states, _counters, NullLogger<SyncLoop>.Instance, TimeProvider.System).RunAsync(bad, TestContext.Current.CancellationToken);
        _report.All.ShouldHaveSingleItem().ShouldContain("access key id");
        _states.All["till"].Problem.ShouldNotBeNull();
    }

    private Flotta.Wire.DeviceConfigurationMessage Slice(BucketStandIn bucket) => new()
    {
        Configuration = new() { Storage = new(bucket.Storage) },
        Workloads = [new() { Name = "till", Data = new() { Egress = [new("out", "backup")], Ingress = [new("prices", "in")] } }],
    };

    private async Task<RoundResult> RoundAsync(BucketStandIn bucket, RoundOrder order, WorkloadData? data = null)
    {
        using var client = new S3Client(bucket.Bucket, new Throttle(null, TimeProvider.System), TimeProvider.System);
        var site = new SyncSite(bucket.Bucket.Identity, client, Places, _report, _states, _counters, NullLogger.Instance, TimeProvider.System);
        return await new SyncRound(data ?? Data, site).RunAsync(order, TestContext.Current.CancellationToken);
    }

    // Nobody is too powerful for a folder in the way.
    private static Task<bool> CutInSecondPart(HttpContext context)
    {
        if (context.Request.Query["partNumber"] != "2")
            return Task.FromResult(false);
        context.Abort();
        return Task.FromResult(true);
    }

    private static void CannotBeWritten(string file) => Directory.CreateDirectory(file + ".new");

    private string Export(string path) => Path.Combine(Places.Export("till"), path);

    private void Write(string path, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Export(path))!);
        File.WriteAllText(Export(path), content);
    }

    private string Read(string path) => File.ReadAllText(Export(path), Encoding.UTF8);

    /// <summary>A clock that people set, whatever time passes.</summary>
    private sealed class SetTime(TimeProvider passes) : TimeProvider
    {
        public TimeSpan Off { get; set; }

        public override long TimestampFrequency => passes.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => passes.GetUtcNow() + Off;

        public override long GetTimestamp() => passes.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => passes.CreateTimer(callback, state, dueTime, period);
    }

    private sealed class Report : IDutyReport
    {
        public ConcurrentQueue<string> All { get; } = [];

        public void Warn(string reason, string message) => All.Enqueue($"{reason}: {message}");

        public void Info(string reason, string message) => All.Enqueue($"{reason}: {message}");
    }
}
