using Flotta.Fleet.Credentials;
using Flotta.Fleet.Devices;
using Flotta.Fleet.Reports;
using Flotta.Fleet.Scenarios;
using Flotta.Fleet.Transport;
using Flotta.Tests.Agent;
using Flotta.Wire;
using Flotta.Yggdrasil.Credentials;

namespace Flotta.Tests.Fleet;

/// <summary>One simulated device and a server on loopback, over real TLS.</summary>
public sealed class SimulatedDeviceTests : IAsyncLifetime
{
    private const string OneWorkload =
        """{"device_id":"sim","version":"v1","configuration":{"heartbeat":{"period_seconds":1,"hardware_profile":{"include":true}}},"workloads":[{"name":"w","namespace":"default","specification":"containers: []"}]}""";

    private readonly string _folder = Directory.CreateTempSubdirectory("flotta-fleet-").FullName;
    private readonly CancellationTokenSource _stop = new();
    private readonly Statistics _statistics = new();
    private readonly Census _census = new(TimeProvider.System);
    private EdgeStandIn _server = null!;
    private Task _running = Task.CompletedTask;

    public async ValueTask InitializeAsync() => _server = await EdgeStandIn.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        try
        {
            await _running;
        }
        catch (OperationCanceledException)
        {
            // As asked.
        }

        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        _stop.Dispose();
    }

    [Fact]
    public async Task A_device_enrols_registers_and_reports_what_it_was_told_to_run()
    {
        _server.Configure(OneWorkload, "t1");
        var device = Start(new DeviceSettings { LongestStart = TimeSpan.FromMilliseconds(100) });
        await _server.SeesAsync(seen => seen.What == Directives.Heartbeat && seen.Heartbeat.Workloads is [{ Name: "w", Status: "Running" }]);
        var enrolment = await _server.SeesAsync(Directives.Enrolment);
        WireJson.ReadContent(enrolment.Message.Content, WireJson.Types.EnrolmentInfo).CertificateRequest.ShouldNotBeNull();
        var first = await _server.SeesAsync(Directives.Heartbeat);
        first.Heartbeat.Hardware!.SystemVendor!.Manufacturer.ShouldBe("flotta-fleet");
        first.Certificate.Subject.ShouldContain("CN=sim");
        device.Phase.ShouldBe(DevicePhase.Registered);
        device.Version.ShouldBe("v1");
        _statistics.Totals().Errors.ShouldBe(0);
    }

    [Fact]
    public async Task A_change_ends_the_held_request_and_is_followed()
    {
        _server.Configure(OneWorkload, "t1");
        Start(new DeviceSettings { LongestStart = TimeSpan.Zero });
        await _server.SeesAsync(seen => seen.What == "data/in" && seen.Headers["Prefer"] == "wait=240");
        _server.Configure(OneWorkload.Replace("\"v1\"", "\"v2\"", StringComparison.Ordinal).Replace("\"w\"", "\"x\"", StringComparison.Ordinal), "t2");
        await _server.SeesAsync(seen => seen.What == Directives.Heartbeat && seen.Heartbeat is { Version: "v2", Workloads: [{ Name: "x" }] });
    }

    [Fact]
    public async Task The_originals_device_polls_and_does_not_take_a_new_version_for_news()
    {
        // Also where the server gives tags.
        _server.Instead = (_, context) =>
        {
            context.Response.Headers.ETag = $"\"{Guid.NewGuid()}\"";
            return Task.FromResult(false);
        };
        _server.Holds = false;
        _server.Configure(OneWorkload, "t1");
        Start(new DeviceSettings { Hold = null, OffersKey = false, UsesTags = false, PollInterval = TimeSpan.FromMilliseconds(50), Period = TimeSpan.FromMinutes(5), LongestStart = TimeSpan.Zero });
        var enrolment = await _server.SeesAsync(Directives.Enrolment);
        WireJson.ReadContent(enrolment.Message.Content, WireJson.Types.EnrolmentInfo).CertificateRequest.ShouldBeNull();
        await _server.SeesAsync(Directives.Heartbeat);
        _server.Configure(OneWorkload.Replace("\"v1\"", "\"v2\"", StringComparison.Ordinal), "t2");
        var polls = _server.Requests.Count(seen => seen.What == "data/in");
        await _server.SeesAsync("data/in", polls + 10);
        _server.Requests.Count(seen => seen.What == Directives.Heartbeat).ShouldBe(1);
        _server.Requests.ShouldAllBe(seen => !seen.Headers.ContainsKey("Prefer") && !seen.Headers.ContainsKey("If-None-Match"));
    }

    [Fact]
    public async Task It_waits_until_it_is_approved()
    {
        _server.Approved = false;
        _server.Configure(OneWorkload, "t1");
        var device = Start(new DeviceSettings());
        await _server.SeesAsync(Directives.Enrolment, 2);
        device.Phase.ShouldBe(DevicePhase.Waiting);
        _server.Approved = true;
        await _server.SeesAsync(Directives.Heartbeat);
    }

    [Fact]
    public async Task A_certificate_is_renewed_with_a_new_key_over_the_present_one()
    {
        _server.Configure(OneWorkload, "t1");
        Start(new DeviceSettings { RenewEvery = TimeSpan.FromMilliseconds(500) });
        var renewal = await _server.SeesAsync(Directives.Registration, 2);
        renewal.Certificate.Subject.ShouldContain("CN=sim");
        await _server.SeesAsync(seen => seen.What == "data/in" && seen.Certificate.SerialNumber != renewal.Certificate.SerialNumber && seen.Certificate.PublicKey.ExportSubjectPublicKeyInfo() is var key
            && !key.AsSpan().SequenceEqual(renewal.Certificate.PublicKey.ExportSubjectPublicKeyInfo()));
    }

    [Fact]
    public async Task A_device_whose_certificate_is_refused_asks_for_another()
    {
        _server.Configure(OneWorkload, "t1");
        Start(new DeviceSettings { Hold = null, PollInterval = TimeSpan.FromMilliseconds(50) });
        var beat = await _server.SeesAsync(Directives.Heartbeat);
        _server.Refused.Add(beat.Certificate.SerialNumber);
        // With the refused one first, and when that does not work, from the start.
        await _server.SeesAsync(seen => seen.What == "data/in" && seen.Certificate.SerialNumber != beat.Certificate.SerialNumber);
    }

    [Fact]
    public async Task A_device_that_is_deleted_disconnects_and_comes_no_more()
    {
        _server.Configure(OneWorkload, "t1");
        var device = Start(new DeviceSettings { Hold = null, PollInterval = TimeSpan.FromMilliseconds(50) });
        await _server.SeesAsync(Directives.Heartbeat);
        _server.Deleted = true;
        await _running.WaitAsync(TimeSpan.FromSeconds(20));
        device.Phase.ShouldBe(DevicePhase.Disconnected);
    }

    [Fact]
    public async Task A_link_that_is_cut_comes_back_on_a_new_connection_with_the_same_workloads()
    {
        _server.Configure(OneWorkload, "t1");
        var device = Start(new DeviceSettings { LongestStart = TimeSpan.Zero });
        await _server.SeesAsync(Directives.Heartbeat);
        await Until.TrueAsync(() => device.IsServed, () => "not served");
        device.CutLink(TimeSpan.FromMilliseconds(50));
        await _server.SeesAsync(seen => seen.What == "data/in" && seen.Headers.IfNoneMatch == "\"t1\"" && !seen.Headers.ContainsKey("Prefer"));
        await Until.TrueAsync(() => device.IsServed, () => "not served again");
        _server.Requests.Where(seen => seen.What == Directives.Heartbeat).ShouldAllBe(seen => seen.Heartbeat.Workloads!.Single().Status == "Running");
        _census.Phases().ShouldBe(new Dictionary<string, int> { ["registered"] = 1 });
    }

    [Fact]
    public async Task A_later_run_goes_on_with_the_certificates_of_the_one_before()
    {
        _server.Configure(OneWorkload, "t1");
        var folder = Path.Combine(_folder, "state");
        Start(new DeviceSettings(), new IdentityFolder(folder));
        var serial = (await _server.SeesAsync(Directives.Heartbeat)).Certificate.SerialNumber;
        File.GetUnixFileMode(Path.Combine(folder, "sim.pem")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        _census.Joined();
        var again = Device(new DeviceSettings(), new IdentityFolder(folder));
        var identity = await again.IdentityAsync(CancellationToken.None);
        identity.Certificate.SerialNumber.ShouldBe(serial);
        _server.Requests.Count(seen => seen.What == Directives.Enrolment).ShouldBe(1);
    }

    private SimulatedDevice Start(DeviceSettings settings, IdentityFolder? identities = null)
    {
        _census.Joined();
        var device = Device(settings, identities);
        _running = device.RunAsync(_stop.Token);
        return device;
    }

    private SimulatedDevice Device(DeviceSettings settings, IdentityFolder? identities)
    {
        var (certificate, key) = _server.Authority.Issue("CN=register, O=flotta-operator");
        var server = new EdgeServer(
            _server.Address, "api/flotta-management/v1", Roots.FromPem(_server.Authority.Pem), System.Net.HttpVersion.Version20, TimeSpan.FromSeconds(10), _statistics, TimeProvider.System);
        return new SimulatedDevice("sim", 1, server, Identity.FromPem(certificate, key, "certificate", "key"), settings, identities, _census);
    }
}
