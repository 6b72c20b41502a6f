using Flotta.Tests.Operator.Scenarios;

namespace Flotta.KubernetesTests;

public sealed class EnrolmentOnARealClusterTests(RealCluster cluster) : EnrolmentScenarios
{
    protected override string Kubeconfig => cluster.Server.Kubeconfig("admin", "system:masters");
}

public sealed class DevicesOnARealClusterTests(RealCluster cluster) : DeviceScenarios
{
    protected override string Kubeconfig => cluster.Server.Kubeconfig("admin", "system:masters");
}

public sealed class WorkloadsOnARealClusterTests(RealCluster cluster) : WorkloadScenarios
{
    protected override string Kubeconfig => cluster.Server.Kubeconfig("admin", "system:masters");
}
