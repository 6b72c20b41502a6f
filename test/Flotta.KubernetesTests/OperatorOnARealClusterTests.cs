using Flotta.Tests.Operator.Scenarios;

namespace Flotta.KubernetesTests;

/// <summary>The same scenarios, with no more rights than deploy/kubernetes gives the Operator.</summary>
public sealed class EnrolmentOnARealClusterTests(RealCluster cluster) : EnrolmentScenarios(cluster);

public sealed class DevicesOnARealClusterTests(RealCluster cluster) : DeviceScenarios(cluster);

public sealed class SettingsOnARealClusterTests(RealCluster cluster) : SettingsScenarios(cluster);

public sealed class WorkloadsOnARealClusterTests(RealCluster cluster) : WorkloadScenarios(cluster);

public sealed class SamplesOnARealClusterTests(RealCluster cluster) : SampleScenarios(cluster);

public sealed class LeadershipOnARealClusterTests(RealCluster cluster) : LeadershipScenarios(cluster);
