namespace Flotta.EndToEnd;

/// <summary>Certificates by the clock: the real control plane and the real agent, whose clock the test sets.</summary>
public sealed class RenewalTests
{
    // The agent looks at its clock once a minute.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(100);

    [Fact]
    public async Task A_certificate_is_renewed_at_two_thirds_of_its_life_and_after_months_offline_and_the_container_runs_on()
    {
        var (site, clock) = await Site.StartShiftedAsync("--auto-approve");
        await using var _ = site;
        var port = FreePort.Next();
        await using var device = site.Device("till-07");
        await device.IsAsync("Connected", "True");
        await site.Plane.ApplyAsync(Manifests.Web("hello", port, Manifests.OnDevice("till-07")));
        await Web.AnswersAsync(port, TimeSpan.FromSeconds(30));
        var containers = await site.ContainersAsync();
        var first = await SerialAsync();
        first.ShouldNotBeEmpty();

        clock.Set(TimeSpan.FromDays(23)); // of 30
        var second = await AnotherSerialAsync(first);
        device.Program.Terminate();
        await device.Program.EndAsync(TimeSpan.FromSeconds(20));

        clock.Set(TimeSpan.FromDays(23 + 90)); // long expired, inside of the grace of 180 days
        device.StartAgain();
        await AnotherSerialAsync(second);
        await device.IsAsync("Connected", "True");
        (await site.ContainersAsync()).ShouldBe(containers);
        (await site.Plane.KubectlAsync("get", "edsr", "-o", "name")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(1, "nobody enrolled again");

        async Task<string> AnotherSerialAsync(string than)
        {
            await Eventually.TrueAsync(async () => await SerialAsync() is { Length: > 0 } now && now != than, Patience, () => device.Program.Said);
            await Eventually.EqualsAsync("true", () => site.Plane.FieldAsync("edgedevice", "till-07", ".status.certificate.confirmed"), TimeSpan.FromSeconds(30));
            return await SerialAsync();
        }

        Task<string> SerialAsync() => site.Plane.FieldAsync("edgedevice", "till-07", ".status.certificate.serial");
    }
}
