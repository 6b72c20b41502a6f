using Flotta.EndToEnd;

namespace Flotta.KubernetesTests;

public sealed class EnrolmentJourneyTests(RealCluster cluster, ITestOutputHelper log)
{
    [Fact]
    public async Task A_device_travels_from_enrolment_to_a_running_workload_on_a_real_kube_apiserver()
    {
        _ = cluster.Server; // says why the test is skipped where there is none
        using var folder = new TemporaryFolder();
        await using var podman = await PodmanHost.StartAsync();
        await using var plane = await ClusterControlPlane.StartAsync(cluster, folder.Sub("control-plane"));
        await using var device = Device.Start(plane, "journey-device", folder.Sub("device"), podman.Socket);
        await Journey.FromEnrolmentToRunningAsync(plane, device, podman, log.WriteLine);
    }
}
