using System.Security.Cryptography;
using Flotta.Agent.Enrolment;
using Flotta.Agent.Workloads;
using Flotta.Wire;

namespace Flotta.Tests.Agent;

/// <summary>The whole agent against a server that speaks real mutual TLS.</summary>
public sealed class JourneyTests
{
    private const string Nothing = """{"device_id":"dev1","version":"v0","configuration":{"heartbeat":{"period_seconds":60,"hardware_profile":{"include":true,"scope":"full"}},"mounts":[]}}""";
    private const string Web = """{"device_id":"dev1","version":"v1","configuration":{"heartbeat":{"period_seconds":60},"mounts":[]},"workloads":[{"name":"web","namespace":"default","specification":"containers: []\n"}]}""";

    [Fact]
    public async Task A_device_enrols_waits_for_approval_registers_fetches_applies_and_reports()
    {
        await using var server = await EdgeStandIn.StartAsync();
        await using var device = new TestDevice(server);
        server.Approved = false;
        server.Configure(Nothing, "v0");
        File.WriteAllText(device.InFolder("tags.toml"), "namespace = \"edge\"\n");
        device.Start();

        var enrolment = WireJson.ReadContent((await server.SeesAsync(Directives.Enrolment, 2)).Message.Content, WireJson.Types.EnrolmentInfo);
        enrolment.TargetNamespace.ShouldBe("edge");
        device.Agent.State.ShouldBe(EnrolmentState.Waiting);
        server.Requests.ShouldNotContain(seen => seen.What == Directives.Registration);

        server.Approved = true;
        var registration = WireJson.ReadContent((await server.SeesAsync(Directives.Registration)).Message.Content, WireJson.Types.RegistrationInfo);
        KeyOf(registration.CertificateRequest!).ShouldBe(KeyOf(enrolment.CertificateRequest!), "the key that was approved is the key that is registered");

        var beat = (await server.SeesAsync(seen => seen.What == Directives.Heartbeat && seen.Heartbeat.Version == "v0")).Heartbeat;
        beat.Status.ShouldBe(HeartbeatStatuses.Up);
        (await server.SeesAsync(seen => seen.What == Directives.Heartbeat && seen.Heartbeat.Hardware is not null)).Certificate.Subject.ShouldContain("CN=dev1");
        (await server.SeesAsync("control/out")).Message.Type.ShouldBe(MessageTypes.ConnectionStatus);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_device_that_waits_lets_the_server_hold_its_request_and_asks_again_where_it_does_not(bool holds)
    {
        await using var server = await EdgeStandIn.StartAsync();
        await using var device = new TestDevice(server);
        (server.Approved, server.Holds) = (false, holds);
        server.Configure(Nothing, "v0");
        device.Start();

        // The first answer is what a person who stands beside the device sees; it is not waited for.
        (await server.SeesAsync(Directives.Enrolment)).Headers.ContainsKey("Prefer").ShouldBeFalse();
        (await server.SeesAsync(Directives.Enrolment, 2)).Headers["Prefer"].ToString().ShouldBe("wait=240");
        if (!holds)
            await server.SeesAsync(Directives.Enrolment, 3);
        await Task.Delay(1500);
        server.Requests.Count(seen => seen.What == Directives.Enrolment).ShouldBeLessThanOrEqualTo(holds ? 2 : 6);
        server.Approved = true;
        await server.SeesAsync(Directives.Registration);
    }

    [Fact]
    public async Task A_change_arrives_at_once_where_the_server_holds_requests_and_is_on_disk_before_it_is_applied()
    {
        await using var server = await EdgeStandIn.StartAsync();
        await using var device = new TestDevice(server);
        device.Polls = device.Polls with { Interval = TimeSpan.FromMinutes(5) };
        server.Configure(Nothing, "v0");
        device.Start();
        await server.SeesAsync(seen => seen.What == "data/in" && seen.Headers.IfNoneMatch == "\"v0\"");

        server.Configure(Web, "v1");
        await Until.TrueAsync(() => device.Workloads.Applied.LastOrDefault()?.Workloads.Count == 1);
        File.ReadAllText(device.InData("desired.json")).ShouldContain("\"v1\"");
        File.GetUnixFileMode(device.InData("desired.json")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await server.SeesAsync(seen => seen.What == Directives.Heartbeat && seen.Heartbeat.Version == "v1");
    }

    [Fact]
    public async Task A_server_that_holds_nothing_is_polled()
    {
        await using var server = await EdgeStandIn.StartAsync();
        await using var device = new TestDevice(server);
        server.Holds = false;
        server.Configure(Nothing, "v0");
        device.Start();
        await server.SeesAsync("data/in", 3);
        server.Configure(Web, "v1");
        await Until.TrueAsync(() => device.Workloads.Applied.LastOrDefault()?.Workloads.Count == 1);
    }

    [Fact]
    public async Task A_restarted_agent_runs_from_disk_with_no_server_and_keeps_its_identity()
    {
        var authority = new TestAuthority();
        await using var server = await EdgeStandIn.StartAsync(authority);
        await using var device = new TestDevice(server);
        server.Configure(Web, "v1");
        device.Start();
        await server.SeesAsync(seen => seen.What == Directives.Heartbeat && seen.Heartbeat.Version == "v1");
        var identity = File.ReadAllText(device.InData("identity.pem"));
        var options = device.Options;
        await device.StopAsync();
        await server.DisposeAsync();

        // Not even the bootstrap files are needed any more.
        File.Delete(device.InFolder("cert.pem"));
        device.Start(options);
        await Until.TrueAsync(() => device.Workloads.Applied.LastOrDefault()?.Workloads.Count == 1);
        await Until.TrueAsync(() => device.Log.ToString().Contains("cannot be reached", StringComparison.Ordinal));
        File.ReadAllText(device.InData("identity.pem")).ShouldBe(identity);
    }

    [Fact]
    public async Task A_workload_change_is_told_at_once_and_events_are_told_again_until_they_are_taken()
    {
        await using var server = await EdgeStandIn.StartAsync();
        await using var device = new TestDevice(server);
        server.Configure(Web, "v1");
        device.Start();
        await server.SeesAsync(Directives.Heartbeat);
        var failures = 2;
        server.Instead = (seen, context) =>
        {
            var fails = seen.What == Directives.Heartbeat && seen.Heartbeat.Events?.Count > 0 && Interlocked.Decrement(ref failures) >= 0;
            if (fails)
                context.Response.StatusCode = 500;
            return Task.FromResult(fails);
        };
        device.Workloads.Events.Enqueue(new WorkloadEvent("Failed", "no such image", EventTypes.Warn));
        device.Workloads.States = [new WorkloadState("web", "Deploying", "ImagePull", "no such image", null)];

        var told = await server.SeesAsync(seen => seen.What == Directives.Heartbeat && seen.Heartbeat.Events?.Count > 0, 3);
        told.Heartbeat.Status.ShouldBe(HeartbeatStatuses.Degraded);
        told.Heartbeat.Workloads.ShouldHaveSingleItem().Reason.ShouldBe("ImagePull");
        told.Heartbeat.Events.ShouldHaveSingleItem().Message.ShouldBe("no such image");
        // In three messages, but by its id the server knows that it is one event.
        server.Requests.Where(seen => seen.What == Directives.Heartbeat).SelectMany(seen => seen.Heartbeat.Events ?? []).Select(one => one.Id).Distinct(StringComparer.Ordinal)
            .ShouldHaveSingleItem().ShouldNotBeNullOrEmpty();
        device.Workloads.States = [new WorkloadState("web", "Running", null, null, null)];
        (await server.SeesAsync(seen => seen.What == Directives.Heartbeat && seen.Heartbeat.Workloads?.Any(workload => workload.Status == "Running") == true))
            .Heartbeat.Events.ShouldBe([]);
    }

    [Fact]
    public async Task A_deleted_device_removes_its_workloads_and_its_identity_and_is_quiet_until_it_is_started_again()
    {
        await using var server = await EdgeStandIn.StartAsync();
        await using var device = new TestDevice(server);
        server.Configure(Web, "v1");
        device.Start();
        await server.SeesAsync(seen => seen.What == Directives.Heartbeat && seen.Heartbeat.Version == "v1");

        server.Deleted = true;
        server.Configure(Web, "v2");
        await Until.TrueAsync(() => device.Agent.State == EnrolmentState.Disconnected);
        device.Workloads.Removals.ShouldBe(1);
        device.Workloads.Applied.Last().Workloads.ShouldBeEmpty();
        File.Exists(device.InData("identity.pem")).ShouldBeFalse();
        File.Exists(device.InData("desired.json")).ShouldBeFalse();
        File.Exists(device.InFolder("cert.pem")).ShouldBeTrue();
        await device.StopAsync();

        server.Deleted = false;
        server.Requests.Clear();
        device.Start();
        await server.SeesAsync(Directives.Enrolment);
        await server.SeesAsync(seen => seen.What == Directives.Heartbeat && seen.Heartbeat.Version == "v1");
    }

    [Fact]
    public async Task A_certificate_that_expired_while_the_device_was_away_is_renewed_with_a_new_key_and_the_one_before_goes_once_the_new_one_is_answered()
    {
        await using var server = await EdgeStandIn.StartAsync();
        await using var device = new TestDevice(server);
        server.Configure(Web, "v1");
        var (certificate, key) = server.Authority.Issue("CN=dev1, OU=default, O=flotta-operator", TestAuthority.Now.AddDays(-60), TestAuthority.Now.AddDays(-30));
        Directory.CreateDirectory(device.InFolder("data"));
        File.WriteAllText(device.InData("identity.pem"), key + "\n" + certificate + "\n");
        device.Start();

        var registration = await server.SeesAsync(Directives.Registration);
        registration.Certificate.Subject.ShouldContain("CN=dev1");
        registration.Certificate.NotAfter.ShouldBeLessThan(TestAuthority.Now.UtcDateTime);
        await server.SeesAsync(seen => seen.What == Directives.Heartbeat && seen.Certificate.NotAfter > TestAuthority.Now.LocalDateTime);
        await Until.TrueAsync(() => !File.Exists(device.InData("identity.previous.pem")));
        File.ReadAllText(device.InData("identity.pem")).ShouldNotContain(key);
        File.Exists(device.InData("next-key.pem")).ShouldBeFalse();
        server.Requests.ShouldNotContain(seen => seen.What == Directives.Enrolment);
    }

    [Fact]
    public async Task An_identity_that_the_server_no_longer_takes_at_all_enrols_again_and_runs_on_meanwhile()
    {
        await using var server = await EdgeStandIn.StartAsync();
        await using var device = new TestDevice(server);
        server.Configure(Web, "v1");
        device.Start();
        var beat = await server.SeesAsync(Directives.Heartbeat);
        server.Approved = false;
        server.Refused.Add(beat.Certificate.SerialNumber);
        device.Workloads.States = [new WorkloadState("web", "Running", null, null, null)];
        await server.SeesAsync(seen => seen.What == Directives.Enrolment, 2);
        device.Workloads.Applied.Last().Workloads.Count.ShouldBe(1);
        server.Approved = true;
        await server.SeesAsync(seen => seen.What == Directives.Heartbeat && seen.Certificate.SerialNumber != beat.Certificate.SerialNumber);
    }

    [Fact]
    public async Task A_damaged_identity_file_is_said_and_the_device_enrols_anew()
    {
        await using var server = await EdgeStandIn.StartAsync();
        await using var device = new TestDevice(server);
        server.Configure(Web, "v1");
        Directory.CreateDirectory(device.InFolder("data"));
        File.WriteAllText(device.InData("identity.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        device.Start();
        await server.SeesAsync(seen => seen.What == Directives.Heartbeat && seen.Heartbeat.Version == "v1");
        device.Log.ToString().ShouldContain("identity.pem is damaged");
    }

    private static string KeyOf(string request) => Convert.ToBase64String(
        System.Security.Cryptography.X509Certificates.CertificateRequest.LoadSigningRequestPem(request, HashAlgorithmName.SHA256).PublicKey.ExportSubjectPublicKeyInfo());
}
