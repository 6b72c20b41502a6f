using Flotta.Wire;
using Microsoft.Extensions.Time.Testing;

namespace Flotta.Tests.Agent;

public sealed class RenewalTests
{
    private const string Nothing = """{"device_id":"dev1","version":"v0","configuration":{"mounts":[]}}""";

    [Fact]
    public async Task A_certificate_is_renewed_by_the_clock_without_a_restart_and_survives_jumps_of_it()
    {
        await using var server = await EdgeStandIn.StartAsync();
        var time = new FakeTimeProvider(TestAuthority.Now);
        await using var device = new TestDevice(server) { Time = time };
        server.Configure(Nothing, "v0");
        WriteIdentity(server, device);
        device.Start();
        var first = await server.SeesAsync(Directives.Heartbeat);

        // Ten years back and forth again: no reason to do anything.
        time.AdjustTime(TestAuthority.Now.AddYears(-10));
        time.AdjustTime(TestAuthority.Now);
        await PumpAsync(time, () => server.Requests.Count(seen => seen.What == Directives.Heartbeat) >= 2);
        time.Advance(TimeSpan.FromDays(15));
        await PumpAsync(time, () => server.Requests.Count(seen => seen.What == Directives.Heartbeat) >= 4);
        server.Requests.ShouldNotContain(seen => seen.What == Directives.Registration);

        time.Advance(TimeSpan.FromDays(7));
        await PumpAsync(time, () => server.Requests.Any(seen => seen.What == Directives.Registration));
        var renewal = await server.SeesAsync(Directives.Registration);
        renewal.Certificate.SerialNumber.ShouldBe(first.Certificate.SerialNumber);
        await PumpAsync(time, () => server.Requests.Any(seen => seen.What == Directives.Heartbeat && seen.Certificate.SerialNumber != first.Certificate.SerialNumber));
    }

    [Fact]
    public async Task After_a_401_it_is_renewed_at_once()
    {
        await using var server = await EdgeStandIn.StartAsync();
        await using var device = new TestDevice(server);
        server.Configure(Nothing, "v0");
        WriteIdentity(server, device);
        var once = 1;
        server.Instead = (seen, context) =>
        {
            var refuse = seen.What == Directives.Heartbeat && Interlocked.Decrement(ref once) >= 0;
            if (refuse)
                context.Response.StatusCode = 401;
            return Task.FromResult(refuse);
        };
        device.Start();
        await server.SeesAsync(Directives.Registration);
        await server.SeesAsync(Directives.Heartbeat, 2);
        server.Requests.ShouldNotContain(seen => seen.What == Directives.Enrolment);
    }

    [Fact]
    public async Task A_certificate_for_another_key_name_or_from_another_ca_is_not_taken()
    {
        await using var server = await EdgeStandIn.StartAsync();
        await using var device = new TestDevice(server);
        server.Configure(Nothing, "v0");
        var foreign = new TestAuthority();
        var tries = 0;
        server.Instead = async (seen, context) =>
        {
            if (seen.What != Directives.Registration)
                return false;
            var request = WireJson.ReadContent(seen.Message.Content, WireJson.Types.RegistrationInfo).CertificateRequest!;
            var certificate = Interlocked.Increment(ref tries) switch
            {
                1 => server.Authority.Issue("CN=dev1").Certificate,
                2 => server.Authority.Sign(request, "CN=dev2").ExportCertificatePem(),
                3 => foreign.Sign(request, "CN=dev1").ExportCertificatePem(),
                4 => "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                5 => null,
                _ => "",
            };
            if (certificate == "")
                return false;
            var content = WireJson.ToElement(new RegistrationResponse { Certificate = certificate }, WireJson.Types.RegistrationResponse);
            await context.Response.Body.WriteAsync(WireJson.Write(new MessageResponse { Content = content }, WireJson.Types.MessageResponse));
            return true;
        };
        var time = new FakeTimeProvider(TestAuthority.Now);
        device.Time = time;
        device.Start();
        await PumpAsync(time, () => tries >= 6 && File.Exists(device.InData("identity.pem")));
        var log = device.Log.ToString();
        log.ShouldContain("does not belong to the certificate");
        log.ShouldContain("the certificate is for the device dev2");
        log.ShouldContain("not signed by a CA of ca-root");
        log.ShouldContain("damaged certificate");
        log.ShouldContain("no PEM certificate");
    }

    // A timer that is not set yet when time passes does not go off: so time passes until what is waited for has happened.
    private static Task PumpAsync(FakeTimeProvider time, Func<bool> condition) => Until.TrueAsync(() =>
    {
        time.Advance(TimeSpan.FromSeconds(5));
        return condition();
    });

    private static void WriteIdentity(EdgeStandIn server, TestDevice device)
    {
        var (certificate, key) = server.Authority.Issue("CN=dev1, OU=default, O=flotta-operator");
        Directory.CreateDirectory(device.InFolder("data"));
        File.WriteAllText(device.InData("identity.pem"), key + "\n" + certificate + "\n");
    }
}
