using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Flotta.EdgeApi;
using Flotta.EdgeApi.Certificates;
using Flotta.Kube;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.EdgeApi.Certificates;

public sealed class AuthorityTests(EdgeWorld world) : IClassFixture<EdgeWorld>
{
    [Fact]
    public async Task The_secrets_are_named_and_labelled_as_scripts_expect_them()
    {
        var ca = (await world.Kube.GetAsync<V1Secret>(new ObjectKey("flotta", "flotta-ca"), default)).ShouldNotBeNull();
        ca.Data.Keys.Order().ShouldBe(["ca.crt", "ca.key"]);
        ca.Type.ShouldBe("Opaque");
        var server = (await world.Kube.GetAsync<V1Secret>(new ObjectKey("flotta", "flotta-host-certificate"), default)).ShouldNotBeNull();
        server.Data.Keys.Order().ShouldBe(["server.crt", "server.key"]);
        var bootstrap = (await world.Kube.ListAsync<V1Secret>("flotta", default, labelSelector: "reg-client-ca=true")).ShouldHaveSingleItem();
        bootstrap.Metadata.Name.ShouldMatch("^reg-client-ca-[a-z0-9]{10}$");
        bootstrap.Data.Keys.Order().ShouldBe(["client.crt", "client.key"]);
    }

    [Fact]
    public async Task Replicas_that_start_together_agree()
    {
        await world.Kube.CreateAsync(new V1Namespace { ApiVersion = "v1", Kind = "Namespace", Metadata = new V1ObjectMeta { Name = "race" } }, default);
        var authorities = Enumerable.Range(0, 6)
            .Select(_ => new Authority(world.Kube, new EdgeApiOptions { OperatorNamespace = "race" }, NullLoggerFactory.Instance, TimeProvider.System)).ToList();
        await Task.WhenAll(authorities.Select(authority => authority.StartAsync(default)));
        authorities.Select(authority => authority.State.CaPem).Distinct().ShouldHaveSingleItem();
        authorities.Select(authority => authority.State.Server.Thumbprint).Distinct().ShouldHaveSingleItem();
        var materials = await Task.WhenAll(authorities.Select(authority => authority.BootstrapAsync(default)));
        materials.Select(material => material.CertificatePem).Distinct().ShouldHaveSingleItem();
        materials[0].KeyPem.ShouldStartWith("-----BEGIN EC PRIVATE KEY-----");
    }

    [Fact]
    public async Task The_bootstrap_certificate_is_reused_until_it_grows_old_and_the_server_certificate_is_renewed()
    {
        await world.Kube.CreateAsync(new V1Namespace { ApiVersion = "v1", Kind = "Namespace", Metadata = new V1ObjectMeta { Name = "renewal" } }, default);
        var time = new ShiftedTime();
        var authority = new Authority(world.Kube, new EdgeApiOptions { OperatorNamespace = "renewal" }, NullLoggerFactory.Instance, time);
        await authority.StartAsync(default);
        var (server, bootstrap) = (authority.State.Server.Thumbprint, await authority.BootstrapAsync(default));
        time.Shift = TimeSpan.FromDays(200);
        await authority.StartAsync(default);
        authority.State.Server.Thumbprint.ShouldBe(server);
        (await authority.BootstrapAsync(default)).ShouldBe(bootstrap);
        time.Shift = TimeSpan.FromDays(250);
        await authority.StartAsync(default);
        authority.State.Server.Thumbprint.ShouldNotBe(server);
        (await authority.BootstrapAsync(default)).CertificatePem.ShouldNotBe(bootstrap.CertificatePem);
        (await world.Kube.ListAsync<V1Secret>("renewal", default, labelSelector: "reg-client-ca=true")).Count.ShouldBe(2);
        time.Shift = TimeSpan.FromDays(370);
        await authority.StartAsync(default);
        (await world.Kube.ListAsync<V1Secret>("renewal", default, labelSelector: "reg-client-ca=true")).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Another_domain_makes_another_server_certificate()
    {
        await world.Kube.CreateAsync(new V1Namespace { ApiVersion = "v1", Kind = "Namespace", Metadata = new V1ObjectMeta { Name = "domain" } }, default);
        var first = new Authority(world.Kube, new EdgeApiOptions { OperatorNamespace = "domain" }, NullLoggerFactory.Instance, TimeProvider.System);
        await first.StartAsync(default);
        var second = new Authority(world.Kube, new EdgeApiOptions { OperatorNamespace = "domain", Domain = "edge.example.org" }, NullLoggerFactory.Instance, TimeProvider.System);
        await second.StartAsync(default);
        second.State.Server.Extensions.OfType<X509SubjectAlternativeNameExtension>().Single().EnumerateDnsNames().ShouldBe(["edge.example.org"]);
        second.State.CaPem.ShouldBe(first.State.CaPem);
    }

    [Fact]
    public async Task A_namespace_that_is_missing_is_one_clear_sentence()
    {
        var authority = new Authority(world.Kube, new EdgeApiOptions { OperatorNamespace = "nowhere" }, NullLoggerFactory.Instance, TimeProvider.System);
        (await Should.ThrowAsync<EdgeApiStartException>(() => authority.StartAsync(default))).Message.ShouldContain("The namespace nowhere does not exist");
    }

    [Fact]
    public async Task Only_TLS_1_3_is_spoken()
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(world.Host.Address.Host, world.Host.Address.Port);
        await using var tls = new SslStream(socket.GetStream());
        await Should.ThrowAsync<Exception>(() => tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "project-flotta.io",
            EnabledSslProtocols = System.Security.Authentication.SslProtocols.Tls12,
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
        }));
    }
}
