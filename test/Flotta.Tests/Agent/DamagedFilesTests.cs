using Flotta.Agent.Connections;
using Flotta.Agent.Desired;
using Flotta.Agent.Files;
using Flotta.Agent.Heartbeats;
using Flotta.Agent.Identities;
using Flotta.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.Agent;

/// <summary>State files that were cut short or changed in a bit: never a crash, and never taken for something that was not written.</summary>
public sealed class DamagedFilesTests : IDisposable
{
    private const string Document = """{"device_id":"dev1","version":"v1","configuration":{"heartbeat":{"period_seconds":60},"mounts":[]},"workloads":[{"name":"web","namespace":"default","specification":"containers: []\n"}]}""";
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("flotta-damage-");

    [Fact]
    public void The_desired_state_is_the_one_that_was_written_or_the_one_before_or_none()
    {
        using var folder = DataDirectory.Open(_folder.FullName);
        var store = Store(folder);
        store.Save("""{"version":"v0","configuration":{}}"""u8, "\"v0\"");
        store.Save(System.Text.Encoding.UTF8.GetBytes(Document), "\"v1\"");
        Damage(folder["desired.json"], () =>
        {
            var loaded = Store(folder).Load();
            loaded.ShouldNotBeNull();
            loaded.Document.Version.ShouldBeOneOf("v0", "v1");
            if (loaded.Document.Version == "v1")
                loaded.Document.Workloads!.Single().Name.ShouldBe("web");
        });
    }

    [Fact]
    public void An_identity_that_is_damaged_gives_way_to_the_one_before()
    {
        using var folder = DataDirectory.Open(_folder.FullName);
        var authority = new TestAuthority();
        var (certificate, key) = authority.Issue("CN=dev1");
        File.WriteAllText(folder["identity.previous.pem"], key + "\n" + certificate + "\n");
        var (next, nextKey) = authority.Issue("CN=dev1");
        File.WriteAllText(folder["identity.pem"], nextKey + "\n" + next + "\n");
        var store = new IdentityStore(folder, "dev1", KeyLock.None, NullLogger<IdentityStore>.Instance);
        // 100 of them: reading keys takes its time.
        Damage(folder["identity.pem"], () => store.Load().ShouldNotBeNull(), rounds: 100);
    }

    [Fact]
    public void Connections_and_events_that_are_damaged_are_as_good_as_none()
    {
        using var folder = DataDirectory.Open(_folder.FullName);
        var good = new ProvenConnection("a:1", "p", new TestAuthority().Pem);
        new ProvenStore(folder).Save(good);
        Damage(folder["connection.json"], () =>
        {
            if (new ProvenStore(folder).Load() is { } loaded)
                loaded.ShouldBe(good);
        });
        new EventQueue(folder["events.json"]).Add("A", "1", EventTypes.Info);
        Damage(folder["events.json"], () => _ = new EventQueue(folder["events.json"]).Peek());
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static DesiredStore Store(DataDirectory folder) => new(folder, NullLogger<DesiredStore>.Instance);

    private static void Damage(string path, Action check, int rounds = 400)
    {
        var whole = File.ReadAllBytes(path);
        var random = new Random(7);
        for (var round = 0; round < rounds; round++)
        {
            var bytes = whole.ToArray();
            if (round % 2 == 0)
                bytes = bytes[..random.Next(bytes.Length)];
            else
                bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(path, bytes);
            check();
        }

        File.WriteAllBytes(path, whole);
        check();
    }
}
