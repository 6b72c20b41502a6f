namespace Flotta.EndToEnd;

public sealed class EnrolmentJourneyTests(ITestOutputHelper log)
{
    [Fact]
    public async Task A_device_travels_from_enrolment_to_a_running_workload_on_the_embedded_store()
    {
        await using var site = await Site.StartAsync();
        await using var device = site.Device("till-07");
        await Journey.FromEnrolmentToRunningAsync(site.Plane, device, site.Podman, log.WriteLine);
    }

    [Fact]
    public async Task The_same_journey_is_made_by_a_daemon_and_a_worker()
    {
        await using var site = await Site.StartAsync();
        await using var device = site.AttachedDevice("till-07");
        await Journey.FromEnrolmentToRunningAsync(site.Plane, device, site.Podman, log.WriteLine);
    }

    [Fact]
    public async Task Nothing_is_handed_out_before_a_person_has_approved()
    {
        await using var site = await Site.StartAsync();
        await using var device = site.Device("till-07");
        await Eventually.EqualsAsync("till-07", () => site.Plane.FieldAsync("edsr", "till-07", ".metadata.name"), TimeSpan.FromSeconds(20));
        await Eventually.EqualsAsync("True", () => site.Plane.FieldAsync("edsr", "till-07", ".status.conditions[?(@.type==\"pending\")].status"), TimeSpan.FromSeconds(10));
        (await site.Plane.KubectlAsync("get", "edgedevices", "-o", "name")).Trim().ShouldBeEmpty();
        var fingerprint = await site.Plane.FieldAsync("edsr", "till-07", ".spec.keyFingerprint");
        fingerprint.ShouldStartWith("SHA256:");
        device.Program.Said.ShouldContain(fingerprint, Case.Sensitive, "the device shows the same fingerprint for the administrator to compare");

        await site.Plane.KubectlAsync("patch", "edsr", "till-07", "--type", "merge", "-p", """{"spec":{"approved":true}}""");
        await device.IsAsync("Connected", "True");
        (await site.Plane.KubectlAsync("get", "edsr", "till-07")).ShouldContain("approved");
    }

    [Fact]
    public async Task A_deleted_device_removes_what_flotta_made_and_nothing_else()
    {
        await using var site = await Site.StartAsync("--auto-approve");
        var port = FreePort.Next();
        await using var device = site.Device("till-07");
        await device.IsAsync("Connected", "True");
        await site.Podman.RunAsync("pod", "create", "--name", "somebody-elses");
        await site.Podman.RunAsync("run", "-d", "--name", "foreign", "--network", "none", "localhost/flotta-hello:1", "/bin/httpd", "-f", "-p", "80");
        await site.Plane.ApplyAsync(Manifests.Web("hello", port, Manifests.OnDevice("till-07")));
        await Web.AnswersAsync(port, TimeSpan.FromSeconds(30));
        (await site.PodsAsync()).ShouldBe(["hello", "somebody-elses"], ignoreOrder: true);

        await site.Plane.KubectlAsync("delete", "edgedevice", "till-07", "--timeout=20s");
        await Eventually.TrueAsync(async () => (await site.PodsAsync()) is ["somebody-elses"], TimeSpan.FromSeconds(20), () => device.Program.Said);
        (await site.Podman.RunAsync("inspect", "-f", "{{.State.Running}}", "foreign")).Trim().ShouldBe("true");
        (await site.Plane.KubectlAsync("get", "edsr", "-o", "name")).Trim().ShouldBeEmpty("a device that was deleted is not enrolled again by itself");
        (await site.Plane.KubectlAsync("get", "edgeworkload", "hello", "-o", "name")).Trim().ShouldNotBeEmpty();
    }

    [Fact]
    public async Task A_device_that_is_gone_for_ever_can_still_be_deleted_and_its_workload_too()
    {
        await using var site = await Site.StartAsync("--auto-approve");
        var device = site.Device("till-07");
        await using (device)
        {
            await device.IsAsync("Connected", "True");
            await site.Plane.ApplyAsync(Manifests.Web("hello", FreePort.Next(), Manifests.OnDevice("till-07")));
            await device.WorkloadIsAsync("hello", "Running");
        }

        await site.Plane.KubectlAsync("delete", "edgeworkload", "hello", "--timeout=20s");
        await site.Plane.KubectlAsync("delete", "edgedevice", "till-07", "--timeout=20s");
        (await site.Plane.KubectlAsync("get", "edgedevices,edgeworkloads,edsr", "-o", "name")).Trim().ShouldBeEmpty();
    }
}
