using Flotta.Agent.Files;
using Flotta.Agent.Identities;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.Agent;

/// <summary>What is on disk after a crash at each step of a registration, and that the next start makes the right thing of it.</summary>
public sealed class IdentityStoreTests : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("flotta-identity-").FullName;
    private readonly DataDirectory _folder;
    private readonly IdentityStore _store;
    private readonly TestAuthority _authority = new();

    public IdentityStoreTests()
    {
        _folder = DataDirectory.Open(_path);
        _store = new IdentityStore(_folder, "dev1", KeyLock.None, NullLogger<IdentityStore>.Instance);
    }

    [Fact]
    public void Before_the_certificate_came_the_same_key_is_used_again()
    {
        using var first = _store.NextKey(rsa: false);
        using var second = _store.NextKey(rsa: false);
        second.Fingerprint().ShouldBe(first.Fingerprint());
        File.GetUnixFileMode(In("next-key.pem")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public void A_torn_key_file_gives_way_to_a_new_key()
    {
        using var first = _store.NextKey(rsa: false);
        var text = File.ReadAllText(In("next-key.pem"));
        File.WriteAllText(In("next-key.pem"), text[..(text.Length / 2)]);
        using var second = _store.NextKey(rsa: false);
        second.Fingerprint().ShouldNotBe(first.Fingerprint());
    }

    [Fact]
    public void Between_the_two_renames_the_one_before_still_serves()
    {
        var first = Register();
        using var key = _store.NextKey(rsa: false);
        File.Move(In("identity.pem"), In("identity.previous.pem"));
        File.WriteAllText(In("identity.pem.new"), "half a fi");
        _store.Load()!.Certificate.SerialNumber.ShouldBe(first);
        using var again = _store.NextKey(rsa: false);
        again.Fingerprint().ShouldBe(key.Fingerprint());
    }

    [Fact]
    public void After_the_certificate_is_stored_the_next_one_gets_a_new_key()
    {
        using var key = _store.NextKey(rsa: false);
        var pem = key.ToPem();
        Register();
        File.WriteAllText(In("next-key.pem"), pem);
        using var next = _store.NextKey(rsa: false);
        next.Fingerprint().ShouldNotBe(key.Fingerprint());
    }

    [Fact]
    public void The_one_before_stays_until_the_new_one_has_been_answered()
    {
        var first = Register();
        var second = Register();
        _store.Load()!.Certificate.SerialNumber.ShouldBe(second);
        _store.Previous()!.Certificate.SerialNumber.ShouldBe(first);
        _store.Confirm();
        _store.Previous().ShouldBeNull();
        _store.Load()!.Certificate.SerialNumber.ShouldBe(second);
        File.GetUnixFileMode(In("identity.pem")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public void A_damaged_file_at_any_length_falls_back_to_the_one_before_and_never_throws()
    {
        var first = Register();
        var second = Register();
        var whole = File.ReadAllText(In("identity.pem"));
        for (var length = 0; length < whole.Length; length += 7)
        {
            File.WriteAllText(In("identity.pem"), whole[..length]);
            _store.Load().ShouldNotBeNull().Certificate.SerialNumber.ShouldBeOneOf(first, second);
        }

        File.WriteAllText(In("identity.pem"), "");
        File.WriteAllText(In("identity.previous.pem"), "\0\0\0");
        _store.Load().ShouldBeNull();
    }

    [Fact]
    public void An_identity_of_another_device_is_not_used()
    {
        Register();
        new IdentityStore(_folder, "dev2", KeyLock.None, NullLogger<IdentityStore>.Instance).Load().ShouldBeNull();
        new IdentityStore(_folder, "DEV1", KeyLock.None, NullLogger<IdentityStore>.Instance).Load().ShouldNotBeNull();
    }

    [Fact]
    public void Two_agents_do_not_share_a_folder() =>
        Should.Throw<Flotta.Agent.AgentStartException>(() => DataDirectory.Open(_path)).Message.ShouldStartWith("Another flotta-agent is using");

    public void Dispose()
    {
        _folder.Dispose();
        Directory.Delete(_path, recursive: true);
    }

    private string Register()
    {
        using var key = _store.NextKey(rsa: false);
        using var certificate = _authority.Sign(key.Request("dev1"), "CN=dev1, OU=default");
        _store.Replace(key, certificate.ExportCertificatePem());
        File.Exists(In("next-key.pem")).ShouldBeFalse();
        return certificate.SerialNumber;
    }

    private string In(string name) => Path.Combine(_path, name);
}
