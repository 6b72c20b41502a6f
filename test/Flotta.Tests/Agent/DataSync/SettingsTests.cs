using System.Text;
using Flotta.Agent.DataSync;
using Flotta.Wire;

namespace Flotta.Tests.Agent.DataSync;

public sealed class SettingsTests
{
    [Fact]
    public void Without_a_bucket_or_without_paths_there_is_nothing_to_do()
    {
        SyncSettings.Slice(Configuration(null, Data([], [])), leftovers: true).ShouldBeNull();
        SyncSettings.Slice(Configuration(S3, Data([], [])), leftovers: false).ShouldBeNull();
        SyncSettings.Slice(Configuration(S3, Data([new("a", "b")], [])), leftovers: false).ShouldNotBeNull();
        SyncSettings.Slice(Configuration(S3, Data([], [])), leftovers: true).ShouldNotBeNull();
    }

    [Fact]
    public void Paths_are_cleaned_and_those_that_leave_their_place_are_told_and_left_out()
    {
        var settings = SyncSettings.Of(SyncSettings.Slice(Configuration(S3, Data([new("/out//x/", "/backup/"), new("../etc", "b"), new("ok", "../b")], [new("prices", "in")])), leftovers: false)!);
        var workload = settings.Workloads.ShouldHaveSingleItem();
        var route = workload.Egress.ShouldHaveSingleItem();
        (route.Local, route.Remote, route.IntoFolder).ShouldBe(("out/x", "backup", true));
        (workload.Ingress[0].Local, workload.Ingress[0].Remote).ShouldBe(("in", "prices"));
        settings.Problems.Count.ShouldBe(2);
    }

    [Fact]
    public void The_bucket_is_asked_by_its_path_unless_its_host_names_it()
    {
        Bucket.Of(S3).Identity.ShouldBe("s3.example:9000/data");
        Bucket.Of(S3 with { BucketHost = "data.s3.example", BucketPort = 443 }).Identity.ShouldBe("data.s3.example");
    }

    [Fact]
    public void What_is_wrong_with_a_bucket_is_said_without_its_credentials()
    {
        Should.Throw<FormatException>(() => Bucket.Of(S3 with { AwsSecretAccessKey = "!" })).Message.ShouldBe("the bucket's secret access key is missing or not base64");
        Should.Throw<FormatException>(() => Bucket.Of(S3 with { BucketHost = "a b" })).Message.ShouldContain("host");
        Should.Throw<FormatException>(() => Bucket.Of(S3 with { BucketName = "a/../b" })).Message.ShouldContain("name");
        Should.Throw<FormatException>(() => Bucket.Of(S3 with { AwsCaBundle = Base64("no certificate") })).Message.ShouldContain("CA");
        Bucket.Of(S3).ToString().ShouldNotContain("secret");
    }

    [Theory]
    [InlineData("2026-11-27T21:59", false)] // a Friday
    [InlineData("2026-11-27T22:00", true)]
    [InlineData("2026-11-28T05:59", true)]
    [InlineData("2026-11-28T06:00", false)]
    [InlineData("2026-11-28T23:00", false)]
    [InlineData("2026-11-29T01:00", false)]
    public void A_window_over_midnight_belongs_to_the_day_on_which_it_opens(string time, bool open) =>
        SyncSchedule.Of([new SyncWindow(["Fri"], "22:00", "06:00")], []).IsOpen(DateTime.Parse(time, System.Globalization.CultureInfo.InvariantCulture)).ShouldBe(open);

    [Fact]
    public void It_is_known_when_a_window_opens_and_closes()
    {
        var schedule = SyncSchedule.Of([new SyncWindow(null, "22:00", "23:30")], []);
        schedule.UntilChange(new DateTime(2026, 11, 27, 21, 0, 30, DateTimeKind.Local)).ShouldBe(TimeSpan.FromSeconds(3570));
        schedule.UntilChange(new DateTime(2026, 11, 27, 23, 0, 0, DateTimeKind.Local)).ShouldBe(TimeSpan.FromMinutes(30));
        SyncSchedule.Of(null, []).IsOpen(default).ShouldBeTrue();
    }

    [Fact]
    public void A_schedule_that_nobody_can_read_is_told_and_never_open()
    {
        var problems = new List<string>();
        SyncSchedule.Of([new SyncWindow(["Someday"], "22:00", "06:00")], problems).IsOpen(default).ShouldBeFalse();
        problems.ShouldHaveSingleItem();
    }

    [Fact]
    public void What_is_remembered_survives_and_is_of_one_bucket_only()
    {
        var folder = Directory.CreateTempSubdirectory("flotta-");
        try
        {
            var file = Path.Combine(folder.FullName, "w.synced");
            var memory = SyncMemory.Load(file, "s3/a");
            memory.KeepRoutes([new DataRoute("out", "", ["*.tmp", "a b"])]);
            memory.Keep(new Synced("out/a b\nc", "ü &", 5, 6, "t"));
            memory.Save();
            var again = SyncMemory.Load(file, "s3/a");
            again.IsNew.ShouldBeFalse();
            again.Find("out/a b\nc", "ü &").ShouldBe(new Synced("out/a b\nc", "ü &", 5, 6, "t"));
            again.Egress.ShouldHaveSingleItem().Exclude.ShouldBe(["*.tmp", "a b"]);
            var other = SyncMemory.Load(file, "s3/b");
            other.IsNew.ShouldBeTrue();
            other.Entries.ShouldBeEmpty();
            File.AppendAllText(file, "same half of a li\n\0\0\0");
            SyncMemory.Load(file, "s3/a").Entries.ShouldHaveSingleItem();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void The_servers_xml_is_read_and_what_is_hostile_in_it_is_refused()
    {
        ListPage.One("<?xml version=\"1.0\"?>\n<Error><Code>NoSuchKey</Code><Message>a &lt;b&gt; &#xe4;&#33;</Message></Error>", "Error/Message").ShouldBe("a <b> ä!");
        ListPage.Read("<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;x&quot;</ETag><Size>5</Size><Owner><ID>1</ID></Owner></Contents><Name/></ListBucketResult>")
            .Objects.ShouldHaveSingleItem().ShouldBe(new RemoteObject("a", 5, "x", new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero)));
        foreach (var bad in new[] { "", "<html>", "<a></b>", "<!DOCTYPE a [<!ENTITY b \"c\">]><ListBucketResult></ListBucketResult>", "<ListBucketResult><Contents><Key>&b;</Key></Contents></ListBucketResult>", string.Concat(Enumerable.Repeat("<a>", 100_000)) })
            Should.Throw<S3Exception>(() => ListPage.Read(bad));
    }

    private static S3Storage S3 => new() { BucketHost = "s3.example", BucketPort = 9000, BucketName = "data", BucketRegion = "r", AwsAccessKeyId = Base64("id"), AwsSecretAccessKey = Base64("secret\n") };

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static DataConfiguration Data(DataPath[] egress, DataPath[] ingress) => new() { Egress = egress, Ingress = ingress };

    private static DeviceConfigurationMessage Configuration(S3Storage? s3, DataConfiguration data) => new()
    {
        Configuration = new DeviceConfiguration { Storage = s3 is null ? null : new StorageConfiguration(s3) },
        Workloads = [new Workload { Name = "till", Data = data }],
    };
}
