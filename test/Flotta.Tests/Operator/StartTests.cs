using Flotta.Operator;
using Flotta.Tests.Operator.Scenarios;
using k8s;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.Operator;

public sealed class StartTests(EmbeddedServer server) : IClassFixture<EmbeddedServer>
{
    [Fact]
    public async Task A_server_that_does_not_answer_is_named()
    {
        var error = await Should.ThrowAsync<OperatorStartException>(() => StartAsync(new() { Host = "https://127.0.0.1:1" }));
        error.Message.ShouldStartWith("The API server https://127.0.0.1:1 cannot be reached: ");
    }

    [Fact]
    public async Task Missing_definitions_are_said_to_be_missing()
    {
        var error = await Should.ThrowAsync<OperatorStartException>(() => StartAsync(TestCluster.Configuration(server.OperatorKubeconfig)));
        error.Message.ShouldContain("does not know EdgeDevices");
    }

    [Fact]
    public async Task A_certificate_that_nobody_trusts_is_a_sentence_too()
    {
        var configuration = TestCluster.Configuration(server.OperatorKubeconfig);
        var stranger = new KubernetesClientConfiguration { Host = configuration.Host };
        var error = await Should.ThrowAsync<OperatorStartException>(() => StartAsync(stranger));
        error.Message.ShouldContain("cannot be reached");
    }

    private static Task<OperatorHost> StartAsync(KubernetesClientConfiguration configuration) =>
        OperatorHost.StartAsync(new(), configuration, NullLoggerFactory.Instance, TimeProvider.System, TestContext.Current.CancellationToken);
}
