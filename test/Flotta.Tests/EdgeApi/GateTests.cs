using Flotta.EdgeApi;
using Flotta.EdgeApi.Certificates;
using Flotta.EdgeApi.Fleet;
using Flotta.EdgeApi.Identity;
using Flotta.EdgeApi.Sessions;
using Flotta.Resources;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.EdgeApi;

/// <summary>A replica whose watches bring nothing, as on an API server that is late.</summary>
public sealed class GateTests(EdgeWorld world) : IClassFixture<EdgeWorld>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_device_that_another_replica_let_in_is_not_taken_for_one_that_is_gone()
    {
        var gate = await GateAsync();
        var id = world.NewId();
        var (certificate, serial) = world.CertificateFor(id);
        await world.Kube.CreateAsync(new EdgeDevice { Metadata = new() { Name = id, NamespaceProperty = "default" } }, Cancellation);
        await world.RecordAsync(id, new CertificateStatus { Serial = serial, Confirmed = true, NotAfter = world.Time.GetUtcNow().AddDays(30) });
        var admission = await gate.AdmitAsync(new Peer(certificate), id, Cancellation);
        admission.Refusal.ShouldBe(0);
        admission.Device?.Metadata.Name.ShouldBe(id);
        admission.Session.ShouldNotBeNull();
    }

    [Fact]
    public async Task One_that_is_gone_is_told_so_and_where_that_cannot_be_found_out_it_is_put_off()
    {
        var gate = await GateAsync();
        var id = world.NewId();
        var peer = new Peer(world.CertificateFor(id).Certificate);
        (await gate.AdmitAsync(peer, id, Cancellation)).ShouldBe(new Admission(0, null, null));
        await Should.ThrowAsync<BusyException>(async () =>
        {
            for (var time = 0; time < 1000; time++)
                (await gate.AdmitAsync(peer, id, Cancellation)).Device.ShouldBeNull();
        });
    }

    private async Task<Gate> GateAsync()
    {
        var options = new EdgeApiOptions { Replica = "late" };
        var authority = new Authority(world.Kube, options, NullLoggerFactory.Instance, world.Time);
        await authority.StartAsync(Cancellation);
        return new Gate(world.Kube, new FleetCaches(world.Kube, NullLoggerFactory.Instance, world.Time), authority, new SessionTable(options, world.Time), world.Time);
    }
}
