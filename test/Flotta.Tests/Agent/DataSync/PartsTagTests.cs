using Flotta.Agent.DataSync;

namespace Flotta.Tests.Agent.DataSync;

public sealed class PartsTagTests
{
    // The MD5s of "hello" and "world", and as md5sum says what S3 and what Garage make of them.
    private const string Hello = "5d41402abc4b2a76b9719d911017c592";
    private const string World = "7d793037a0760186574b0282f2f435e7";
    private const string Both = "065947336a2f2a95ba8899f3675c3be6-2";
    private const string BothOfGarage = "ae802c1f58f394d46485b7da18c56e9b-2";

    [Theory]
    [InlineData(Both)]
    [InlineData(BothOfGarage)]
    [InlineData("065947336A2F2A95BA8899F3675C3BE6-2")]
    public void It_is_the_MD5_of_the_MD5s(string tag)
    {
        PartsTag.Read(tag)!.IsOf([Hello, World]).ShouldBeTrue();
        PartsTag.Read(tag)!.IsOf([World, Hello]).ShouldBeFalse();
        PartsTag.Read(tag)!.IsOf([Hello, World, World]).ShouldBeFalse();
    }

    [Fact]
    public async Task Twenty_MiB_of_zeros_in_parts_of_eight()
    {
        using var zeros = new MemoryStream(new byte[20 << 20]);
        var md5s = new List<string>();
        for (var offset = 0L; offset < zeros.Length; offset += 8 << 20)
            md5s.Add(await Checksums.Md5Async(zeros, offset, Math.Min(8 << 20, zeros.Length - offset), TestContext.Current.CancellationToken));
        PartsTag.Read("5452e5568d20a60209babc69a7b95911-3")!.IsOf(md5s).ShouldBeTrue();
    }

    [Theory]
    [InlineData("")]
    [InlineData("-2")]
    [InlineData(Hello)]
    [InlineData(Hello + "-")]
    [InlineData(Hello + "-0")]
    [InlineData(Hello + "-02")]
    [InlineData(Hello + "-+2")]
    [InlineData(Hello + "- 2")]
    [InlineData(Hello + "-10001")]
    [InlineData(Hello + "-99999999999999999999")]
    [InlineData(Hello + "-2-2")]
    [InlineData("zz41402abc4b2a76b9719d911017c592-2")]
    public void Anything_else_says_nothing(string tag) => PartsTag.Read(tag).ShouldBeNull();

    [Theory]
    [InlineData(Both, true)]
    [InlineData(BothOfGarage, true)]
    [InlineData(Hello + "-2", false)]
    [InlineData("065947336a2f2a95ba8899f3675c3be6-3", false)]
    [InlineData(Hello, true)]
    [InlineData("anything", true)]
    public void What_parts_were_joined_to_is_known_by_its_tag_after_a_restart_too(string whole, bool can)
    {
        var folder = Directory.CreateTempSubdirectory("flotta-");
        try
        {
            var file = Path.Combine(folder.FullName, "till.uploads");
            new BegunUploads(file, "b").Keep(new BegunUpload("out/a", "a", 10, 1, 5, "id", [new SentPart(Hello, Hello), new SentPart(World.ToUpperInvariant(), World)]));
            var begun = new BegunUploads(file, "b").All.ShouldHaveSingleItem();
            begun.CanBe(whole).ShouldBe(can);
            // Encrypted: its tags are checksums of nothing that we know.
            (begun with { Parts = [new SentPart(World, Hello), new SentPart(World, World)] }).CanBe(whole).ShouldBeTrue();
            File.WriteAllText(file, File.ReadAllText(file).Replace(":" + Hello, "", StringComparison.Ordinal));
            var before = new BegunUploads(file, "b").All.ShouldHaveSingleItem();
            before.Parts[0].ShouldBe(new SentPart(Hello, null));
            before.CanBe(whole).ShouldBeTrue();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
