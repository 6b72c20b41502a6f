using System.Net;
using System.Net.Http;
using Flotta.ApiServer;
using Flotta.Cli;
using Flotta.Kube;

namespace Flotta.Tests.Cli;

public sealed class FailureTests
{
    [Fact]
    public void Every_failure_is_one_sentence_of_one_line()
    {
        Exception[] failures =
        [
            new FailureException("the data folder x cannot be written."),
            new ApiServerStartException("port 1 is taken."),
            new KubeException(HttpStatusCode.Forbidden, "Forbidden", "secrets is forbidden"),
            new HttpRequestException("it failed", new IOException("connection refused")),
            new TimeoutException("the API server did not answer"),
            new UnauthorizedAccessException("Access to the path is denied."),
            new InvalidOperationException("odd", new FormatException("HTTPS_PORT is 'x'")),
        ];
        foreach (var failure in failures)
            Failure.Explain(failure).ShouldNotContain('\n');
        Failure.Explain(failures[2]).ShouldContain("403");
        Failure.Explain(failures[3]).ShouldContain("connection refused");
        Failure.Explain(failures[6]).ShouldContain("HTTPS_PORT");
    }

    [Fact]
    public void A_kubeconfig_that_is_not_there_or_is_none_is_named()
    {
        Should.Throw<FailureException>(() => KubeAccess.Load("/nowhere/kubeconfig")).Message.ShouldContain("/nowhere/kubeconfig");
        var file = Path.GetTempFileName();
        File.WriteAllText(file, "there is: [no YAML");
        Should.Throw<FailureException>(() => KubeAccess.Load(file)).Message.ShouldContain(file);
        File.WriteAllText(file, "");
        Should.Throw<FailureException>(() => KubeAccess.Load(file)).Message.ShouldContain("it is empty");
        File.Delete(file);
    }
}
