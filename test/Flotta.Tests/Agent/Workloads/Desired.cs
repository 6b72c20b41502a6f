using Flotta.Agent.Workloads;
using Flotta.Wire;

namespace Flotta.Tests.Agent.Workloads;

internal static class Desired
{
    public static readonly WorkloadFolders Folders = new("/data");

    public static Workload Web(string name = "web", string image = "localhost/web:1", string extra = "") => new()
    {
        Name = name,
        Specification = $$"""
            containers:
            - name: main
              image: {{image}}
            {{extra}}
            """,
    };

    public static PodManifest Manifest(Workload workload, params Secret[] secrets) => PodRenderer.Render(workload, secrets, "till-07", Folders);

    public static DesiredPod Pod(Workload workload) => DesiredPod.From(new DesiredWorkloads([workload], []), "till-07", Folders)[0];
}
