using System.Collections.Concurrent;
using Flotta.Agent.Enrolment;
using Flotta.Agent.Files;
using Flotta.Agent.Identities;
using Flotta.Wire;
using Flotta.Yggdrasil.Credentials;
using Flotta.Yggdrasil.Transport;
using Microsoft.Extensions.Logging.Abstractions;
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
        var renewals = new ConcurrentQueue<DateTimeOffset>();
        server.Instead = (seen, _) =>
        {
            if (seen.What == Directives.Registration)
                renewals.Enqueue(time.GetUtcNow());
            return Task.FromResult(false);
        };
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
        // By this clock the new one is due at once, and is still used for a while.
        await PumpAsync(time, () => server.Requests.Count(seen => seen.What == Directives.Heartbeat && seen.Certificate.SerialNumber != first.Certificate.SerialNumber) >= 3);
        Gaps(renewals).ShouldAllBe(gap => gap >= TimeSpan.FromHours(1));
    }

    [Fact]
    public async Task By_a_clock_that_is_weeks_ahead_a_certificate_is_renewed_once_an_hour() =>
        Gaps(await RenewAsync(4, ahead: TimeSpan.FromDays(25), refuses: false)).ShouldAllBe(gap => gap >= TimeSpan.FromHours(1));

    [Fact]
    public async Task Certificates_that_are_refused_as_soon_as_they_are_issued_are_renewed_ever_more_slowly()
    {
        var gaps = Gaps(await RenewAsync(6, ahead: TimeSpan.Zero, refuses: true));
        for (var which = 0; which < gaps.Count; which++)
            gaps[which].ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(2.5 * Math.Pow(2, which)));
    }

    [Fact]
    public void A_certificate_of_a_short_life_is_new_for_a_tenth_of_it() =>
        RenewalClock.NewFor(TestAuthority.Now, TestAuthority.Now.AddMinutes(10)).ShouldBeInRange(TimeSpan.FromSeconds(59), TimeSpan.FromSeconds(61));

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

    private static List<TimeSpan> Gaps(IEnumerable<DateTimeOffset> moments) => [.. moments.Zip(moments.Skip(1), (before, after) => after - before)];

    /// <summary>When each of so many renewals was asked for.</summary>
    private static async Task<IReadOnlyCollection<DateTimeOffset>> RenewAsync(int count, TimeSpan ahead, bool refuses)
    {
        var path = Directory.CreateTempSubdirectory("flotta-renewal-").FullName;
        try
        {
            var time = new FakeTimeProvider(TestAuthority.Now + ahead);
            using var folder = DataDirectory.Open(path);
            var store = new IdentityStore(folder, "dev1", KeyLock.None, NullLogger<IdentityStore>.Instance);
            var issuer = new Issuer(new TestAuthority(), time, refuses);
            var registration = new Registration(issuer, store, () => Roots.FromPem(issuer.Authority.Pem), "dev1", () => new HardwareInfo(), NullLogger<Registration>.Instance, time);
            using var loop = new RenewalLoop(issuer, store, registration, NullLogger<RenewalLoop>.Instance, time);
            var (certificate, key) = issuer.Authority.Issue("CN=dev1");
            issuer.Use(Identity.FromPem(certificate, key, "cert", "key"));
            using var stop = new CancellationTokenSource();
            var running = Task.Run(() => loop.RunAsync(stop.Token));
            await Until.TrueAsync(() =>
            {
                time.Advance(TimeSpan.FromSeconds(refuses ? 1 : 300));
                return issuer.Asked.Count >= count;
            });
            await stop.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(running);
            return issuer.Asked;
        }
        finally
        {
            Directory.Delete(path, recursive: true);
        }
    }

    /// <summary>Issues a certificate whenever it is asked, and may refuse each as soon as it is used.</summary>
    private sealed class Issuer(TestAuthority authority, TimeProvider time, bool refuses) : IOutbound
    {
        public event Action<Identity>? Unauthorized;

        public TestAuthority Authority => authority;

        public ConcurrentQueue<DateTimeOffset> Asked { get; } = [];

        public Identity? Identity { get; private set; }

        public void Use(Identity identity)
        {
            Identity = identity;
            if (refuses)
                Unauthorized?.Invoke(identity);
        }

        public Task<Answer> PostAsync(Channel channel, Message message, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<Answer> PostAsAsync(Identity identity, Channel channel, Message message, CancellationToken cancellationToken, TimeSpan? hold = null)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Asked.Enqueue(time.GetUtcNow());
            var request = WireJson.ReadContent(message.Content, WireJson.Types.RegistrationInfo).CertificateRequest!;
            var content = WireJson.ToElement(new RegistrationResponse { Certificate = authority.Sign(request, "CN=dev1").ExportCertificatePem() }, WireJson.Types.RegistrationResponse);
            return Task.FromResult(new Answer { Status = 200, Body = WireJson.Write(new MessageResponse { Content = content }, WireJson.Types.MessageResponse) });
        }
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
