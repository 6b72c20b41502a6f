using System.Collections.Concurrent;
using System.Text;
using Flotta.EndToEnd;
using Flotta.Yggdrasil.Contract;
using Flotta.Yggdrasil.Grpc;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.KubernetesTests;

/// <summary>
/// yggdrasil and its workers are written with Go's gRPC. So are etcd, which is asked here by our channel, and kube-apiserver, which asks our listener: it is made its key
/// management service.
/// </summary>
public sealed class GrpcGoTests
{
    private const string Service = "/v1beta1.KeyManagementService/";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly ConcurrentQueue<string> asked = [];

    [Fact]
    public async Task Our_listener_answers_kube_apiserver_and_etcd_answers_our_channel()
    {
        Assert.SkipWhen(KubeApiServer.Missing is not null, KubeApiServer.Missing ?? "");
        var cancellationToken = TestContext.Current.CancellationToken;
        using var folder = new TemporaryFolder();
        var address = SocketAddress.Parse(Path.Combine(folder.Path, "kms.sock"))!;
        await using var listener = await GrpcListener.StartAsync(
            address,
            new Dictionary<string, GrpcHandler>(StringComparer.Ordinal) { [Service + "Version"] = Version, [Service + "Encrypt"] = Turns("Encrypt"), [Service + "Decrypt"] = Turns("Decrypt") },
            NullLogger.Instance,
            cancellationToken);
        var configuration = Path.Combine(folder.Path, "encryption.yaml");
        await File.WriteAllTextAsync(
            configuration,
            $$"""
            apiVersion: apiserver.config.k8s.io/v1
            kind: EncryptionConfiguration
            resources:
            - resources: [secrets]
              providers:
              - kms: {name: flotta-test, endpoint: "unix://{{address.Text}}"}
            """,
            cancellationToken);
        await using var server = await KubeApiServer.StartAsync(cancellationToken, "--encryption-provider-config", configuration);
        var cluster = new Cluster(folder.Sub("cluster"), server);
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "large"), new string('x', 900_000), cancellationToken);
        await cluster.KubectlAsync("create", "secret", "generic", "password", "--from-literal=p=opensesame");
        await cluster.KubectlAsync("create", "configmap", "large", $"--from-file={Path.Combine(folder.Path, "large")}");
        (await cluster.KubectlAsync("get", "secret", "password", "-o", "jsonpath={.data.p}")).ShouldBe(Convert.ToBase64String("opensesame"u8));
        asked.ShouldContain("Version");
        asked.ShouldContain("Encrypt");

        using var etcd = new GrpcChannel(SocketAddress.Parse(server.EtcdSocket)!, TimeProvider.System);
        var stored = await ReadAsync(etcd, "/registry/secrets/default/password");
        stored.ShouldStartWith("k8s:enc:kms:v1:flotta-test:");
        stored.ShouldNotContain("opensesame");
        (await ReadAsync(etcd, "/registry/configmaps/default/large")).ShouldContain(new string('x', 900_000));
        (await Should.ThrowAsync<GrpcException>(() => etcd.CallAsync("/etcdserverpb.KV/Nothing", [], Patience, cancellationToken))).Status.ShouldBe(GrpcStatus.Unimplemented);
        var empty = await Should.ThrowAsync<GrpcException>(() => etcd.CallAsync("/etcdserverpb.KV/Range", [], Patience, cancellationToken));
        (empty.Status, empty.Message).ShouldBe((GrpcStatus.InvalidArgument, "etcdserver: key is not provided"));
    }

    // What is stored under a key: the second field of an answer has the pair, whose fifth is the value.
    private static async Task<string> ReadAsync(GrpcChannel etcd, string key)
    {
        var answer = await etcd.CallAsync("/etcdserverpb.KV/Range", new ProtoWriter().Text(1, key).ToArray(), Patience, TestContext.Current.CancellationToken);
        var pair = ProtoField.Read(answer).Single(field => field.Number == 2);
        return Encoding.Latin1.GetString(ProtoField.Read(pair.Bytes).Single(field => field.Number == 5).Bytes.Span);
    }

    private Task<byte[]> Version(ReadOnlyMemory<byte> message, PeerCredentials peer, CancellationToken cancellationToken)
    {
        asked.Enqueue("Version");
        return Task.FromResult(new ProtoWriter().Text(1, "v1beta1").Text(2, "flotta-test").Text(3, "1").ToArray());
    }

    // Hidden, not encrypted: it is about the way there. What is turned twice is as it was.
    private GrpcHandler Turns(string call) => (message, _, _) =>
    {
        asked.Enqueue(call);
        return Task.FromResult(new ProtoWriter().Blob(1, Turned(message)).ToArray());
    };

    private static byte[] Turned(ReadOnlyMemory<byte> request) => [.. ProtoField.Read(request).Single(field => field.Number == 2).Bytes.ToArray().Select(part => (byte)~part)];
}
