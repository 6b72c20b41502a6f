using Flotta.Kube;
using Flotta.Operator.Admission;
using Flotta.Tests.ApiServer;
using Flotta.Tests.Operator.Scenarios;
using k8s.Models;

namespace Flotta.Tests.Operator.Admission;

public sealed class WebhookSecretTests(RunningApiServer server) : IClassFixture<RunningApiServer>
{
    private static readonly DateTimeOffset Now = new(2026, 5, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("kubernetes.io/tls")]
    [InlineData("Opaque")]
    public async Task A_new_certificate_leaves_the_Secret_the_type_that_it_has(string type)
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var api = KubeApi.Connect(server.Configuration, TimeProvider.System);
        var home = TestCluster.Unique("home");
        await api.CreateAsync(new V1Namespace { ApiVersion = "v1", Kind = "Namespace", Metadata = new() { Name = home } }, cancellation);
        await api.CreateAsync(
            new V1Secret
            {
                ApiVersion = "v1",
                Kind = "Secret",
                Metadata = new() { Name = WebhookSecret.Name, NamespaceProperty = home },
                Type = type,
                Data = new Dictionary<string, byte[]> { ["tls.crt"] = [], ["tls.key"] = [] },
            },
            cancellation);
        var secret = new WebhookSecret(api, home);
        var there = (await secret.ReadAsync(cancellation))!.Value;
        var pair = WebhookPair.Issue(home, Now, TimeSpan.FromDays(30), there.Pair);
        (await secret.TryWriteAsync(pair, there.Version, there.Type, cancellation)).ShouldBeTrue();
        (await secret.ReadAsync(cancellation))!.Value.Pair.ShouldBe(pair);
        (await api.GetAsync<V1Secret>(new(home, WebhookSecret.Name), cancellation))!.Type.ShouldBe(type);
    }
}
