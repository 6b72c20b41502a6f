using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Flotta.EdgeApi;
using Flotta.EdgeApi.Certificates;
using Flotta.Kube;
using Flotta.Resources;
using Flotta.Yggdrasil.Credentials;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.EdgeApi.Certificates;

/// <summary>One authority follows another while devices are connected.</summary>
public sealed class SuccessionTests(EdgeWorld world) : IClassFixture<EdgeWorld>
{
    [Fact]
    public async Task No_device_notices_that_the_authority_is_another_one()
    {
        await world.StartAsync(new EdgeApiOptions());
        var oldCa = world.Bootstrap.CaPem;
        var (id, connected) = await world.DeviceAsync();
        var tag = (await connected.GetAsync(id, "data").Json())["content"]!["version"]!.GetValue<string>();
        var held = connected.GetAsync(id, "data", request =>
        {
            request.Headers.TryAddWithoutValidation("If-None-Match", $"\"{tag}\"");
            request.Headers.TryAddWithoutValidation("Prefer", "wait=6");
        });
        var (silent, silentSerial) = world.CertificateFor(id);
        await RotateAsync(world.Kube, "flotta");

        // Whoever was connected still is, and its held request goes on.
        await Eventually.True(async () => (await world.Host.BootstrapAsync(default)).CaPem != oldCa);
        await connected.BeatAsync(id, new JsonObject { ["status"] = "up" }).Empty(200);
        await held.Empty(304);

        // Whoever connects anew, and knows only the old authority, follows its word to the new one: also with a certificate of the old.
        await world.RecordAsync(id, new CertificateStatus { Serial = silentSerial, Confirmed = true });
        using var anew = new EdgeClient(world.Host.Address, oldCa, silent);
        await Eventually.True(async () => await anew.GetAsync(id, "control").Status() == 200);
        var shown = await ServerChainAsync(silent);
        shown.Count.ShouldBe(2);

        // A renewal is signed by the new one, and an agent that knows only the old one takes it.
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var pem = (await anew.RegisterAsync(id, key).Json())["content"]!["certificate"]!.GetValue<string>();
        var identity = Identity.FromPem(pem, key.ExportECPrivateKeyPem(), "answer", "key");
        identity.Certificate.Issuer.ShouldContain("CN=authority ");
        Roots.FromPem(oldCa).Signed(identity).ShouldBeTrue();
        var newCa = (await world.Host.BootstrapAsync(default)).CaPem;
        Roots.FromPem(newCa).Signed(identity).ShouldBeTrue();
        using var renewed = new EdgeClient(world.Host.Address, oldCa, X509Certificate2.CreateFromPem(pem).CopyWithPrivateKey(key));
        await renewed.GetAsync(id, "control").Empty(200);

        // And one that knows only the new one finds the server right too.
        using var modern = new EdgeClient(world.Host.Address, newCa, X509Certificate2.CreateFromPem(pem).CopyWithPrivateKey(key));
        await modern.GetAsync(id, "control").Empty(200);

        // Again: devices that heard of neither successor are still served.
        await RotateAsync(world.Kube, "flotta");
        await Eventually.True(async () => (await world.Host.BootstrapAsync(default)).CaPem != newCa);
        using var third = new EdgeClient(world.Host.Address, oldCa, X509Certificate2.CreateFromPem(pem).CopyWithPrivateKey(key));
        await Eventually.True(async () => await ServerChainAsync(silent) is { Count: 3 });
        await third.GetAsync(id, "control").Empty(200);
        connected.Dispose();
    }

    [Fact]
    public async Task A_replica_that_has_not_heard_of_the_new_authority_looks_before_it_refuses()
    {
        await NamespaceAsync("late");
        var options = new EdgeApiOptions { OperatorNamespace = "late" };
        var (early, late) = (new Authority(world.Kube, options, NullLoggerFactory.Instance, world.Time), new Authority(world.Kube, options, NullLoggerFactory.Instance, world.Time));
        await early.StartAsync(default);
        await late.StartAsync(default);
        await RotateAsync(world.Kube, "late");
        await early.StartAsync(default);
        using var key = ECDsa.Create();
        var issued = early.Sign(SigningRequest.Read(EdgeClient.Csr(key, "x"))!, "dev", "default");
        using var leaf = X509Certificate2.CreateFromPem(issued.Pem);
        late.State.Trusted.Check(leaf, world.Time.GetUtcNow()).ShouldBe(Chaining.Foreign);
        await late.LookAgainAsync(default);
        late.State.Trusted.Check(leaf, world.Time.GetUtcNow()).ShouldBe(Chaining.Valid);
    }

    [Fact]
    public async Task Replicas_that_are_asked_together_make_one_successor()
    {
        await NamespaceAsync("together");
        var options = new EdgeApiOptions { OperatorNamespace = "together" };
        var replicas = Enumerable.Range(0, 5).Select(_ => new Authority(world.Kube, options, NullLoggerFactory.Instance, world.Time)).ToList();
        foreach (var replica in replicas)
            await replica.StartAsync(default);
        await RotateAsync(world.Kube, "together");
        await Task.WhenAll(replicas.Select(replica => replica.StartAsync(default)));
        foreach (var replica in replicas)
            await replica.StartAsync(default);
        replicas.Select(replica => replica.State.Ca.Thumbprint).Distinct().ShouldHaveSingleItem();
        replicas.Select(replica => replica.State.Server.Thumbprint).Distinct().ShouldHaveSingleItem();
        replicas[0].State.Trusted.Authorities.Count.ShouldBe(2);
        (await world.Kube.GetAsync<V1Secret>(new ObjectKey("together", "flotta-ca"), default))!.Metadata.Annotations.Keys.ShouldBe([Succession.TrustedUntil]);
    }

    [Fact]
    public async Task An_authority_grows_old_by_itself_and_the_one_before_is_forgotten_in_time()
    {
        await NamespaceAsync("old");
        var time = new ShiftedTime();
        var authority = new Authority(world.Kube, new EdgeApiOptions { OperatorNamespace = "old" }, NullLoggerFactory.Instance, time);
        await authority.StartAsync(default);
        var first = authority.State.Ca;
        using var key = ECDsa.Create();
        var request = SigningRequest.Read(EdgeClient.Csr(key, "x"))!;
        time.Shift = TimeSpan.FromDays(2500);
        using var last = X509Certificate2.CreateFromPem(authority.Sign(request, "dev", "default").Pem);
        await authority.StartAsync(default);
        authority.State.Ca.Thumbprint.ShouldNotBe(first.Thumbprint);
        authority.State.Trusted.Check(last, time.GetUtcNow()).ShouldBe(Chaining.Valid);

        // While the last certificate of the first may still be renewed, the first counts.
        time.Shift += TimeSpan.FromDays(30 + 179);
        await authority.StartAsync(default);
        authority.State.Trusted.Check(last, time.GetUtcNow()).ShouldBe(Chaining.Expired);
        time.Shift += TimeSpan.FromDays(360);
        await authority.StartAsync(default);
        authority.State.Trusted.Check(last, time.GetUtcNow()).ShouldBe(Chaining.Foreign);
        authority.State.Trusted.Authorities.ShouldHaveSingleItem();
        // Devices that know nothing else are served as long as it lives.
        authority.State.BridgesPem.ShouldContain("BEGIN CERTIFICATE");
    }

    [Fact]
    public async Task An_authority_that_people_bring_is_used_and_followed_by_one_like_it()
    {
        await NamespaceAsync("brought");
        using var rsa = RSA.Create(3072);
        using var brought = new CertificateRequest("CN=Example Corp Devices", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1) { CertificateExtensions = { new X509BasicConstraintsExtension(true, false, 0, true) } }
            .CreateSelfSigned(world.Time.GetUtcNow().AddDays(-1), world.Time.GetUtcNow().AddYears(5));
        await world.Kube.CreateAsync(
            new V1Secret
            {
                ApiVersion = "v1",
                Kind = "Secret",
                Metadata = new V1ObjectMeta { Name = "flotta-ca", NamespaceProperty = "brought", Labels = new Dictionary<string, string> { ["mine"] = "yes" } },
                Data = new Dictionary<string, byte[]> { ["ca.crt"] = Encoding.ASCII.GetBytes(brought.ExportCertificatePem()), ["ca.key"] = Encoding.ASCII.GetBytes(rsa.ExportPkcs8PrivateKeyPem()), ["note"] = "kept"u8.ToArray() },
            },
            default);
        var authority = new Authority(world.Kube, new EdgeApiOptions { OperatorNamespace = "brought" }, NullLoggerFactory.Instance, world.Time);
        await authority.StartAsync(default);
        authority.State.Server.Issuer.ShouldBe("CN=Example Corp Devices");
        using var key = ECDsa.Create();
        X509Certificate2.CreateFromPem(authority.Sign(SigningRequest.Read(EdgeClient.Csr(key, "x"))!, "dev", "default").Pem).Issuer.ShouldBe("CN=Example Corp Devices");
        await RotateAsync(world.Kube, "brought");
        await authority.StartAsync(default);
        authority.State.Ca.PublicKey.GetRSAPublicKey()!.KeySize.ShouldBe(3072);
        authority.State.Trusted.Authorities.Count.ShouldBe(2);
        var secret = (await world.Kube.GetAsync<V1Secret>(new ObjectKey("brought", "flotta-ca"), default))!;
        secret.Metadata.Labels["mine"].ShouldBe("yes");
        secret.Data["note"].ShouldBe("kept"u8.ToArray());
    }

    private async Task<List<X509Certificate2>> ServerChainAsync(X509Certificate2 certificate)
    {
        using var socket = new System.Net.Sockets.TcpClient();
        await socket.ConnectAsync(world.Host.Address.Host, world.Host.Address.Port);
        var shown = new List<X509Certificate2>();
        await using var tls = new SslStream(socket.GetStream());
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "project-flotta.io",
            ClientCertificates = [certificate],
            RemoteCertificateValidationCallback = (_, leaf, chain, _) =>
            {
                shown.Add(new X509Certificate2(leaf!));
                shown.AddRange(chain!.ChainPolicy.ExtraStore.Select(one => new X509Certificate2(one)));
                return true;
            },
        });
        return [.. shown.DistinctBy(one => one.Thumbprint)];
    }

    private static Task RotateAsync(KubeApi kube, string home) => kube.MergePatchAsync<V1Secret>(
        new ObjectKey(home, "flotta-ca"), new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { ["flotta/rotate"] = "now" } } }, default);

    private Task NamespaceAsync(string name) =>
        world.Kube.CreateAsync(new V1Namespace { ApiVersion = "v1", Kind = "Namespace", Metadata = new V1ObjectMeta { Name = name } }, default);
}
