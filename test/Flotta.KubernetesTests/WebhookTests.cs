using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Flotta.Kube;
using Flotta.Operator.Admission;
using Flotta.Resources;
using Flotta.Tests;
using Flotta.Tests.Operator.Scenarios;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.KubernetesTests;

/// <summary>The API server asks the Operator, by the configuration of deploy/kubernetes with a loopback address in it, and with the rights of the Operator's account.</summary>
[Collection("webhooks")]
public sealed class WebhookTests(RealCluster cluster) : IAsyncLifetime
{
    private static readonly ObjectKey Configuration = new("", "flotta-validating-webhook-configuration");
    private TestCluster world = null!;
    private WebhookHost? webhooks;

    public async ValueTask InitializeAsync()
    {
        world = await TestCluster.StartAsync(cluster);
        await world.StopOperatorAsync();
        await world.PatchAsync<V1Namespace>(world.Namespace, """{"metadata":{"labels":{"flotta-test":"NS"}}}""".Replace("NS", world.Namespace, StringComparison.Ordinal), "");
    }

    public async ValueTask DisposeAsync()
    {
        if (webhooks is not null) await webhooks.DisposeAsync();
        await world.Api.DeleteAsync<V1ValidatingWebhookConfiguration>(Configuration, CancellationToken.None);
        await world.DisposeAsync();
    }

    [Fact]
    public async Task All_that_is_wrong_with_an_object_is_said_in_one_answer()
    {
        await ServeAsync(new());
        var refusal = await Should.ThrowAsync<KubeException>(() => CreateAsync("wrong", """{"containers":[{"name":"a","image":"i","lifecycle":{"preStop":{}},"ports":[{"containerPort":1,"hostPort":9100}]},{"name":"a","image":"i"}]}"""));
        refusal.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        refusal.Message.ShouldStartWith("admission webhook \"edgeworkload.management.project-flotta.io\" denied the request: ");
        foreach (var part in (string[])["containers[a].lifecycle", "'a' has been reused", "9100 is reserved"]) refusal.Message.ShouldContain(part);

        (await Should.ThrowAsync<KubeException>(() => world.Api.CreateAsync(
            new EdgeDevice { Metadata = new() { Name = "obc", NamespaceProperty = world.Namespace }, Spec = new() { Storage = new() { S3 = new() { CreateObc = true, SecretName = "s" } } } }, Cancellation)))
            .Message.ShouldContain("createOBC");
        (await Should.ThrowAsync<KubeException>(() => world.Api.CreateAsync(
            new EdgeConfig { Metadata = new() { Name = "none", NamespaceProperty = world.Namespace } }, Cancellation))).Message.ShouldContain("spec.edgePlaybook is missing");
    }

    [Fact]
    public async Task What_was_wrong_before_can_be_labelled_and_deleted_but_not_changed_into_something_else_that_is_wrong()
    {
        await CreateAsync("old", """{"containers":[{"name":"a","image":"i","lifecycle":{}}]}""");
        await ServeAsync(new());
        await world.PatchAsync<EdgeWorkload>("old", """{"metadata":{"labels":{"a":"b"},"finalizers":["a.b/c"]}}""");
        await Should.ThrowAsync<KubeException>(() => world.PatchAsync<EdgeWorkload>("old", """{"spec":{"device":"e"}}"""));
        await world.Api.DeleteAsync<EdgeWorkload>(new(world.Namespace, "old"), Cancellation);
        await world.PatchAsync<EdgeWorkload>("old", """{"metadata":{"finalizers":null}}""");
        await world.GoneAsync<EdgeWorkload>("old");
    }

    [Fact]
    public async Task While_nobody_answers_nothing_is_taken_and_a_restarted_Operator_shows_the_same_certificate()
    {
        await ServeAsync(new());
        var first = await ShownAsync();
        var port = webhooks!.Port;
        await webhooks.DisposeAsync();
        webhooks = null;
        (await Should.ThrowAsync<KubeException>(() => CreateAsync("meanwhile", Good))).StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        webhooks = await StartAsync(new() { Port = port });
        await CreateAsync("after", Good);
        (await ShownAsync()).ShouldBe(first);
    }

    [Fact]
    public async Task Certificates_are_renewed_while_writes_go_on_and_none_of_them_fails()
    {
        // Due after eight seconds each; two Operators share them.
        var options = new WebhookOptions { Lifetime = TimeSpan.FromSeconds(12), CheckEvery = TimeSpan.FromMilliseconds(200), Settle = TimeSpan.FromSeconds(1) };
        await world.Api.MergePatchAsync<V1Secret>(new("flotta", "webhook-server-cert"), new JsonObject { ["data"] = null }, Cancellation);
        await ServeAsync(options);
        await using var second = await StartAsync(options);
        await CreateAsync("written", Good);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var writes = 0;
        await TestCluster.WaitAsync(
            async () =>
            {
                await world.PatchAsync<EdgeWorkload>("written", $"{{\"spec\":{{\"device\":\"d{writes++}\"}}}}");
                seen.Add(await ShownAsync());
                return seen.Count == 3;
            },
            () => $"{seen.Count} certificates were shown during {writes} writes");
        writes.ShouldBeGreaterThan(20);
        await TestCluster.WaitAsync(async () => await ShownAsync(second.Port) == await ShownAsync(), () => "the two Operators show different certificates");
    }

    private const string Good = """{"containers":[{"name":"a","image":"i"}]}""";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Task<EdgeWorkload> CreateAsync(string name, string pod) => world.Api.CreateAsync(
        new EdgeWorkload { Metadata = new() { Name = name, NamespaceProperty = world.Namespace }, Spec = new() { Type = "pod", Device = "d", Pod = new() { Spec = PodSpec.Parse(pod) } } }, Cancellation);

    /// <summary>Serves, tells the API server, and waits until it asks.</summary>
    private async Task ServeAsync(WebhookOptions options)
    {
        webhooks = await StartAsync(options with { Port = 0 });
        var manifest = (await File.ReadAllTextAsync(Path.Combine(Repository.Root, "deploy", "kubernetes", "operator", "webhooks.yaml"), Cancellation)).Split("\n---\n")[0];
        manifest = Regex.Replace(
            manifest,
            @" service:\n +name: \S+\n +namespace: \S+\n +path: (?<path>\S+)\n +port: 443\n",
            match => $" url: https://localhost:{webhooks.Port}{match.Groups["path"].Value}\n",
            RegexOptions.ExplicitCapture,
            TimeSpan.FromSeconds(1));
        manifest = manifest.Replace("failurePolicy: Fail\n", $"failurePolicy: Fail\n    namespaceSelector: {{matchLabels: {{flotta-test: {world.Namespace}}}}}\n", StringComparison.Ordinal);
        manifest.ShouldContain("url:");
        await world.Api.ApplyAsync<V1ValidatingWebhookConfiguration>(Configuration, manifest, "test", Cancellation);
        await webhooks.DisposeAsync();
        webhooks = await StartAsync(options with { Port = webhooks.Port });
        await TestCluster.WaitAsync(async () => await IsAskedAsync() && await CanWriteAsync(), () => "the API server does not ask, or does not trust");
    }

    private async Task<bool> IsAskedAsync() => await RefusedWithAsync("""{"containers":[]}""", HttpStatusCode.UnprocessableEntity);

    private async Task<bool> CanWriteAsync() => await RefusedWithAsync(Good, null);

    // Dry runs leave nothing behind, but this client has none: the name is new each time.
    private async Task<bool> RefusedWithAsync(string pod, HttpStatusCode? expected)
    {
        try
        {
            await CreateAsync(TestCluster.Unique("probe"), pod);
            return expected is null;
        }
        catch (KubeException refusal)
        {
            return refusal.StatusCode == expected;
        }
    }

    private Task<WebhookHost> StartAsync(WebhookOptions options) =>
        WebhookHost.StartAsync(options, TestCluster.Configuration(cluster.OperatorKubeconfig), NullLoggerFactory.Instance, TimeProvider.System, Cancellation);

    private Task<string> ShownAsync() => ShownAsync(webhooks!.Port);

    private static async Task<string> ShownAsync(int port)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, Cancellation);
        await using var tls = new SslStream(client.GetStream(), leaveInnerStreamOpen: false, (_, _, _, _) => true);
        await tls.AuthenticateAsClientAsync("localhost");
        return tls.RemoteCertificate!.GetSerialNumberString();
    }
}
