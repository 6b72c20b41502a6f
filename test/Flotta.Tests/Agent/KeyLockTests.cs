using Flotta.Agent.CommandLine;
using Flotta.Agent.Files;
using Flotta.Agent.Identities;
using Flotta.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.Agent;

/// <summary>Private keys locked by a TPM (of software), with the real tpm2-tools: what is on the disk, and what the device does when its TPM is away, cleared or another one.</summary>
public sealed class KeyLockTests : IAsyncLifetime
{
    private const string InClear = "before\n-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\nafter\n";
    private readonly string _path = Directory.CreateTempSubdirectory("flotta-lock-").FullName;
    private readonly TestAuthority _authority = new();
    private SoftwareTpm _tpm = null!;
    private DataDirectory _folder = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _tpm = await SoftwareTpm.StartAsync();
        _folder = DataDirectory.Open(_path);
    }

    [Fact]
    public async Task The_secret_comes_back_after_the_power_was_off_and_nothing_piles_up_in_the_tpm()
    {
        var locked = (await OpenAsync()).Protect(InClear);
        locked.ShouldNotContain(InClear);
        File.GetUnixFileMode(In(KeyLock.FileName)).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await _tpm.PowerOffAsync();
        await _tpm.PowerOnAsync();
        // A TPM has room for three.
        for (var round = 0; round < 5; round++)
            (await OpenAsync()).Reveal(locked).ShouldBe(InClear);
        Directory.Exists(In("tpm")).ShouldBeFalse();
    }

    [Fact]
    public async Task A_tpm_that_is_away_changes_nothing_and_one_that_was_cleared_gets_a_new_secret()
    {
        var locked = (await OpenAsync()).Protect(InClear);
        await _tpm.PowerOffAsync();
        var problem = await Should.ThrowAsync<TpmException>(OpenAsync);
        problem.Message.ShouldContain(_tpm.Tcti);
        await _tpm.PowerOnAsync();
        (await OpenAsync()).Reveal(locked).ShouldBe(InClear);
        File.Exists(In(KeyLock.LostFileName)).ShouldBeFalse();

        await _tpm.ReplaceAsync();
        var other = await OpenAsync();
        other.Reveal(locked).ShouldBeNull();
        File.Exists(In(KeyLock.LostFileName)).ShouldBeTrue();
        (await OpenAsync()).Reveal(other.Protect(InClear)).ShouldBe(InClear);
    }

    [Fact]
    public async Task What_was_changed_on_the_disk_is_not_revealed()
    {
        var keys = await OpenAsync();
        var locked = keys.Protect(InClear);
        keys.Protect(InClear).ShouldNotBe(locked, "each time another nonce");
        for (var at = locked.IndexOf('\n', locked.IndexOf("-----BEGIN", StringComparison.Ordinal)) + 1; locked[at] != '-'; at++)
        {
            if (char.IsAsciiLetterLower(locked[at]))
                keys.Reveal(locked[..at] + char.ToUpperInvariant(locked[at]) + locked[(at + 1)..]).ShouldNotBe(InClear);
        }

        KeyLock.None.Reveal(locked).ShouldBeNull();
        KeyLock.None.Protect(InClear).ShouldBe(InClear);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no PEM at all")]
    [InlineData("-----BEGIN TPM2B PUBLIC-----\nAAAA\n-----END TPM2B PUBLIC-----\n-----BEGIN TPM2B PRIVATE-----\nAAAA\n-----END TPM2B PRIVATE-----\n")]
    public async Task A_damaged_file_gives_way_to_a_new_one(string text)
    {
        var locked = (await OpenAsync()).Protect(InClear);
        await File.WriteAllTextAsync(In(KeyLock.FileName), text, Cancelled);
        var other = await OpenAsync();
        other.Reveal(locked).ShouldBeNull();
        (await OpenAsync()).Reveal(other.Protect(InClear)).ShouldBe(InClear);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Keys_that_were_in_clear_are_locked_and_new_ones_are_from_the_start(bool rsa)
    {
        var inClear = new IdentityStore(_folder, "dev1", KeyLock.None, NullLogger<IdentityStore>.Instance);
        var serial = Register(inClear, rsa);
        using (var next = inClear.NextKey(rsa))
        {
            var store = Store();
            await store.UnlockAsync(Cancelled);
            foreach (var name in new[] { "identity.pem", "next-key.pem" })
            {
                var text = await File.ReadAllTextAsync(In(name), Cancelled);
                text.ShouldContain("-----BEGIN LOCKED PRIVATE KEY-----");
                text.ShouldNotContain("-----BEGIN PRIVATE KEY-----");
            }

            store.Load()!.Certificate.SerialNumber.ShouldBe(serial);
            store.Load()!.Certificate.HasPrivateKey.ShouldBeTrue();
            using var again = store.NextKey(rsa);
            again.Fingerprint().ShouldBe(next.Fingerprint());
            inClear.Load().ShouldBeNull();
        }

        var renewing = Store();
        await renewing.UnlockAsync(Cancelled);
        var second = Register(renewing, rsa);
        File.ReadAllText(In("identity.pem")).ShouldContain("-----BEGIN LOCKED PRIVATE KEY-----");
        renewing.Load()!.Certificate.SerialNumber.ShouldBe(second);
        renewing.Previous()!.Certificate.SerialNumber.ShouldBe(serial);
    }

    [Fact]
    public async Task A_device_is_who_it_was_after_a_restart_waits_for_its_tpm_and_enrols_anew_with_another()
    {
        await using var server = await EdgeStandIn.StartAsync();
        await using var device = new TestDevice(server);
        var options = device.Options with { Tpm = _tpm.Tcti };
        server.Configure("""{"device_id":"dev1","version":"v0","configuration":{"mounts":[]}}""", "v0");
        device.Start(options);
        var first = await server.SeesAsync(Directives.Heartbeat);
        File.ReadAllText(device.InData("identity.pem")).ShouldNotContain("-----BEGIN PRIVATE KEY-----");
        await device.StopAsync();

        // Without its key it can tell nobody, but it knows what to run.
        await _tpm.PowerOffAsync();
        device.Start(options);
        await Eventually.True(() => device.Log.ToString().Contains("cannot be used", StringComparison.Ordinal));
        device.Workloads.Applied.ShouldNotBeEmpty();
        await _tpm.PowerOnAsync();
        var heartbeats = server.Requests.Count(seen => seen.What == Directives.Heartbeat);
        var again = await server.SeesAsync(Directives.Heartbeat, heartbeats + 1);
        again.Certificate.SerialNumber.ShouldBe(first.Certificate.SerialNumber);
        await device.StopAsync();

        await _tpm.ReplaceAsync();
        var enrolments = server.Requests.Count(seen => seen.What == Directives.Enrolment);
        device.Start(options);
        await server.SeesAsync(Directives.Enrolment, enrolments + 1);
        await device.StopAsync();
    }

    [Fact]
    public async Task What_a_person_has_to_mend_is_said_at_the_start()
    {
        await using var server = await EdgeStandIn.StartAsync();
        await using var device = new TestDevice(server);
        Should.Throw<Flotta.Agent.AgentStartException>(() => device.Start(device.Options with { Tpm = "swtpm:path=/nowhere" })).Message.ShouldContain("tpm2-tools have to be installed");
        server.Configure("""{"device_id":"dev1","version":"v0","configuration":{"mounts":[]}}""", "v0");
        device.Start(device.Options with { Tpm = _tpm.Tcti });
        await server.SeesAsync(Directives.Heartbeat);
        await device.StopAsync();
        Should.Throw<Flotta.Agent.AgentStartException>(() => device.Start()).Message.ShouldContain("--key-store tpm");
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("file", null)]
    [InlineData("tpm", "device:/dev/tpmrm0")]
    [InlineData("tpm:swtpm:path=/run/x", "swtpm:path=/run/x")]
    public void The_store_is_named_as_documented(string? word, string? tcti) =>
        AgentOptions.From(new Flags { Server = "x:1", KeyStore = word }, new Flotta.Yggdrasil.Settings.ConfigFile(), "/etc/yggdrasil/config.toml").Tpm.ShouldBe(tcti);

    [Theory]
    [InlineData("tmp", nameof(Verb.Agent), "none of file, tpm, tpm:TCTI")]
    [InlineData("tpm:", nameof(Verb.Agent), "none of file, tpm, tpm:TCTI")]
    [InlineData("tpm", nameof(Verb.Yggdrasil), "can only be file here")]
    [InlineData("tpm", nameof(Verb.Worker), "can only be file here")]
    public void And_a_wrong_one_is_refused(string word, string verb, string problem) =>
        Should.Throw<Flotta.Yggdrasil.Settings.SettingsException>(() => AgentOptions.From(new Flags { Server = "x:1", KeyStore = word }, new Flotta.Yggdrasil.Settings.ConfigFile(), "/etc/yggdrasil/config.toml", Enum.Parse<Verb>(verb)))
            .Message.ShouldContain(problem);

    public async ValueTask DisposeAsync()
    {
        _folder.Dispose();
        await _tpm.DisposeAsync();
        Directory.Delete(_path, recursive: true);
    }

    private KeyLock Lock() => new(new Tpm(_tpm.Tcti), _folder, NullLogger<KeyLock>.Instance);

    private IdentityStore Store() => new(_folder, "dev1", Lock(), NullLogger<IdentityStore>.Instance);

    private async Task<KeyLock> OpenAsync()
    {
        var keys = Lock();
        await keys.OpenAsync(Cancelled);
        return keys;
    }

    private string Register(IdentityStore store, bool rsa)
    {
        using var key = store.NextKey(rsa);
        using var certificate = _authority.Sign(key.Request("dev1"), "CN=dev1, OU=default");
        store.Replace(key, certificate.ExportCertificatePem());
        return certificate.SerialNumber;
    }

    private string In(string name) => Path.Combine(_path, name);
}
