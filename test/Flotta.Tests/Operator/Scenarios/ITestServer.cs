namespace Flotta.Tests.Operator.Scenarios;

/// <summary>An API server, by the kubeconfig of somebody who may do everything and by that of the Operator.</summary>
public interface ITestServer
{
    string Kubeconfig { get; }

    string OperatorKubeconfig { get; }
}
