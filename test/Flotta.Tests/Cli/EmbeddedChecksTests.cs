using System.Net;
using Flotta.ApiServer;
using Flotta.Cli;
using Flotta.Kube;
using Flotta.Resources;
using Flotta.Tests.Operator.Scenarios;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.Cli;

public sealed class EmbeddedChecksTests
{
    [Fact]
    public async Task The_embedded_server_refuses_what_the_webhooks_of_a_cluster_refuse_in_the_same_words()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var folder = Directory.CreateTempSubdirectory("flotta-checks-");
        await using (var server = await EmbeddedApiServer.StartAsync(
            new() { DataDirectory = folder.FullName, Port = 0, Checks = EmbeddedChecks.All }, NullLoggerFactory.Instance, TimeProvider.System, cancellation))
        {
            using var kube = KubeApi.Connect(TestCluster.Configuration(server.Kubeconfig("a", "system:masters")), TimeProvider.System);
            await Installation.ApplyAsync(kube, cancellation);
            var refusal = await Should.ThrowAsync<KubeException>(() => kube.CreateAsync(
                new EdgeDevice { Metadata = new() { Name = "d", NamespaceProperty = "default" }, Spec = new() { Storage = new() { S3 = new() { CreateObc = true, SecretName = "s" } } } }, cancellation));
            refusal.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
            refusal.Message.ShouldStartWith("admission webhook \"edgedevice.management.project-flotta.io\" denied the request: spec.storage.s3.createOBC cannot be true");
            await kube.CreateAsync(new EdgeDevice { Metadata = new() { Name = "d", NamespaceProperty = "default" } }, cancellation);
            await Should.ThrowAsync<KubeException>(() => kube.MergePatchAsync<EdgeDevice>(
                new("default", "d"), new() { ["spec"] = new System.Text.Json.Nodes.JsonObject { ["storage"] = new System.Text.Json.Nodes.JsonObject { ["s3"] = new System.Text.Json.Nodes.JsonObject { ["createOBC"] = true, ["configMapName"] = "m" } } } }, cancellation));
            (await kube.GetAsync<EdgeDevice>(new("default", "d"), cancellation))!.Spec.Storage.ShouldBeNull();
        }

        folder.Delete(recursive: true);
    }
}
