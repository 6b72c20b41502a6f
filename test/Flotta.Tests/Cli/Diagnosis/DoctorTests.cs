using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Flotta.ApiServer;
using Flotta.Cli;
using Flotta.Cli.Diagnosis;
using Flotta.Cli.Verbs;
using Flotta.EdgeApi;
using Flotta.Kube;
using Flotta.Tests.ApiServer;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.Cli.Diagnosis;

/// <summary>An installation as `flotta up` makes it, broken in one way at a time.</summary>
public sealed class DoctorTests : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private EmbeddedApiServer server = null!;
    private EdgeApiHost edge = null!;
    private bool edgeStopped;
    private bool stopped;
    private KubeApi api = null!;

    private string Data => folder.File("data");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        server = await EmbeddedApiServer.StartAsync(new() { DataDirectory = Data, Port = 0 }, NullLoggerFactory.Instance, TimeProvider.System, Cancellation);
        Flotta.Cli.DataDirectory.Open(Data).Write("kubeconfig", server.Kubeconfig("admin", "system:masters"));
        api = KubeApi.Connect(RunningApiServer.ConfigurationOf(server), TimeProvider.System);
        await Installation.ApplyAsync(api, Cancellation);
        edge = await EdgeApiHost.StartAsync(
            new() { Listen = IPAddress.Loopback, Port = 0, Replica = "doctors" }, RunningApiServer.ConfigurationOf(server), NullLoggerFactory.Instance, TimeProvider.System, Cancellation);
        await Eventually.True(async () => await api.GetAsync<V1Lease>(new("flotta", "flotta-edge-api-doctors"), Cancellation) is not null);
    }

    public async ValueTask DisposeAsync()
    {
        if (!edgeStopped)
            await edge.DisposeAsync();
        api.Dispose();
        if (!stopped)
            await server.DisposeAsync();
        folder.Dispose();
    }

    private async Task StopEdgeAsync()
    {
        edgeStopped = true;
        await edge.DisposeAsync();
    }

    private async Task StopAsync()
    {
        await StopEdgeAsync();
        stopped = true;
        await server.DisposeAsync();
    }

    [Fact]
    public async Task Nothing_is_wrong_with_a_new_installation()
    {
        var findings = await LookAsync(new DnsEndPoint("127.0.0.1", edge.Address.Port));
        findings.ShouldAllBe(finding => finding.Health != Health.Error, string.Join('\n', findings));
        foreach (var check in (string[])["clock", "definitions", "rights", "certificates", "webhooks", "leases", "data", "edge"])
            findings.ShouldContain(finding => finding.Check == check && finding.Health == Health.Ok, $"{check}\n{string.Join('\n', findings)}");
    }

    [Fact]
    public async Task A_missing_definition_and_one_of_another_version_are_named()
    {
        await api.DeleteAsync<V1CustomResourceDefinition>(new("", "edgeconfigs.management.project-flotta.io"), Cancellation);
        await api.SendDocumentAsync(
            HttpMethod.Patch, "apis/apiextensions.k8s.io/v1/customresourcedefinitions/edgedevices.management.project-flotta.io",
            JsonNode.Parse("""[{"op":"remove","path":"/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/heartbeat"}]"""), Cancellation, "application/json-patch+json");
        var findings = await LookAsync();
        Error(findings, "definitions").What.ShouldBe("edgeconfigs.management.project-flotta.io is missing");
        findings.ShouldContain(finding => finding.Health == Health.Warning && finding.What.StartsWith("edgedevices.management.project-flotta.io is of another version", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_missing_role_is_told_by_what_cannot_be_done_without_it()
    {
        await api.DeleteAsync<V1ClusterRole>(new("", "flotta-edge-api-attachments-role"), Cancellation);
        await api.DeleteAsync<V1ServiceAccount>(new("flotta", "flotta-controller-manager"), Cancellation);
        var findings = await LookAsync();
        findings.ShouldContain(finding => finding.Check == "rights" && finding.What == "the service account flotta/flotta-controller-manager is missing");
        var missing = findings.Single(finding => finding.What.StartsWith("the account flotta-edge-api may not", StringComparison.Ordinal));
        missing.What.ShouldContain("list configmaps");
        missing.What.ShouldNotContain("edgedevices");
        missing.Do.ShouldBe("kubectl apply -f deploy/kubernetes/edge-api/role.yaml");
    }

    [Fact]
    public async Task Certificates_of_another_CA_are_told_also_by_what_the_port_shows()
    {
        // The Edge API does not touch a CA that people brought, and its own certificate is then of another one for a moment.
        var (ca, key) = Authority(DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(80));
        await StopEdgeAsync();
        await api.MergePatchAsync<V1Secret>(new("flotta", "flotta-ca"), new JsonObject { ["data"] = new JsonObject { ["ca.crt"] = Base64(ca), ["ca.key"] = Base64(key) } }, Cancellation);
        var findings = await LookAsync();
        findings.ShouldContain(finding => finding.Health == Health.Error && finding.What == "the server's certificate is not signed by the CA in flotta/flotta-ca");
        findings.ShouldContain(finding => finding.Health == Health.Error && finding.What.StartsWith("the bootstrap certificate", StringComparison.Ordinal));
        findings.ShouldContain(finding => finding.Check == "leases" && finding.What == "no Edge API is alive: nobody answers the devices");
    }

    [Fact]
    public void An_expired_certificate_and_one_that_soon_will_be_are_told_with_the_day()
    {
        var now = new DateTimeOffset(2026, 11, 29, 0, 0, 0, TimeSpan.Zero);
        var (ca, key) = Authority(now.AddYears(-11), now.AddDays(-3));
        Certificates.Of(new("flotta-ca", ca, key), null, [], now).First().ShouldBe(Finding.Error("certificates", "the CA expired on 2026-11-26", "kubectl -n flotta annotate secret flotta-ca flotta/rotate=now"));
        var (old, oldKey) = Authority(now.AddYears(-9), now.AddYears(1));
        Certificates.Of(new("flotta-ca", old, oldKey), null, [], now).First().Health.ShouldBe(Health.Warning);
        Certificates.Of(new("flotta-ca", ca, oldKey), null, [], now).Single().What.ShouldContain("do not fit");
        Certificates.Of(null, new("flotta-host-certificate", ca, key), [], now).Single().Health.ShouldBe(Health.Error);
        Certificates.Of(null, null, [], now).Single().Health.ShouldBe(Health.Warning);
    }

    [Fact]
    public async Task A_move_that_is_under_way_is_told_with_the_way_out()
    {
        await Flotta.Cli.Moving.Pause.TakeAsync(api, "flotta migrate on old, 7", Cancellation);
        var told = Error(await LookAsync(), "leases");
        told.What.ShouldContain("flotta migrate on old, 7");
        told.Do.ShouldContain("kubectl -n flotta delete lease flotta-move");
    }

    [Fact]
    public async Task Webhooks_that_nobody_answers_or_with_a_wrong_authority_are_told()
    {
        await api.SendDocumentAsync(HttpMethod.Post, "apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", JsonNode.Parse($$"""
            {"apiVersion":"admissionregistration.k8s.io/v1","kind":"ValidatingWebhookConfiguration","metadata":{"name":"flotta-validating-webhook-configuration"},
             "webhooks":[{"name":"edgedevice.management.project-flotta.io","admissionReviewVersions":["v1"],"sideEffects":"None","failurePolicy":"Fail","timeoutSeconds":2,
               "clientConfig":{"url":"https://127.0.0.1:1/x","caBundle":"{{Base64(Authority(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(90)).Certificate)}}"},
               "rules":[{"apiGroups":["management.project-flotta.io"],"apiVersions":["v1alpha1"],"operations":["CREATE"],"resources":["edgedevices"],"scope":"Namespaced"}]}]}
            """), Cancellation);
        var (certificate, _) = Authority(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(90));
        await api.CreateAsync(
            new V1Secret { ApiVersion = "v1", Kind = "Secret", Metadata = new() { Name = "webhook-server-cert", NamespaceProperty = "flotta" }, Data = new Dictionary<string, byte[]> { ["tls.crt"] = Encoding.ASCII.GetBytes(certificate) } }, Cancellation);
        var findings = await LookAsync();
        findings.ShouldContain(finding => finding.Check == "webhooks" && finding.What.StartsWith("the API server cannot ask about edgedevices: ", StringComparison.Ordinal));
        findings.ShouldContain(finding => finding.Check == "webhooks" && finding.What.StartsWith("the caBundle of edgedevice.management", StringComparison.Ordinal));
        (await api.ListAsync<Flotta.Resources.EdgeDeviceSet>(null, Cancellation)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Open_permissions_and_a_stopped_server_are_told()
    {
        File.SetUnixFileMode(Path.Combine(Data, "flotta.db"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        await StopAsync();
        var findings = await LookAsync();
        Error(findings, "data").What.ShouldContain("flotta.db; there are keys in it");
        Error(findings, "data").Do.ShouldBe($"chmod -R go= {Data}");
        findings.ShouldContain(finding => finding.Health == Health.Warning && finding.What.Contains("is not running"));
    }

    [Fact]
    public async Task A_damaged_data_file_is_told()
    {
        await StopAsync();
        await using (var file = new FileStream(Path.Combine(Data, "flotta.db"), FileMode.Open))
        {
            file.Position = 4096 * 2;
            file.Write(RandomNumberGenerator.GetBytes((int)Math.Min(file.Length - file.Position, 4096 * 6)));
        }

        (await LookAsync()).ShouldContain(finding => finding.Check == "data" && finding.Health == Health.Error && finding.Do.Contains("flotta restore"));
    }

    [Fact]
    public async Task A_full_disk_is_told()
    {
        await StopAsync();
        var disk = Directory.CreateDirectory(folder.File("disk")).FullName;
        Assert.SkipUnless(Environment.IsPrivilegedProcess && await RunAsync("mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", disk) == 0, "only root may mount a small disk");
        try
        {
            File.Copy(Path.Combine(Data, "flotta.db"), Path.Combine(disk, "flotta.db"));
            await using (var filler = File.Create(Path.Combine(disk, "filler")))
            {
                try
                {
                    while (true)
                        await filler.WriteAsync(new byte[4096], Cancellation);
                }
                catch (IOException)
                {
                    // full, as wanted
                }
            }

            var findings = DataFolder.Find(disk, TimeProvider.System.GetUtcNow()).Where(finding => finding.Check == "disk").ToList();
            findings.Count.ShouldBe(2);
            findings.ShouldAllBe(finding => finding.Health == Health.Error);
            File.Exists(Path.Combine(disk, ".doctor")).ShouldBeFalse();
        }
        finally
        {
            await RunAsync("umount", "-l", disk);
        }
    }

    [Theory]
    [InlineData(8, 1, "Error")]
    [InlineData(100, 1, "Warning")]
    [InlineData(300, 1, "Ok")]
    [InlineData(300, 200, "Warning")]
    public void How_much_room_is_enough_depends_on_the_data(long left, long data, string health) =>
        DataFolder.Left(left << 20, data << 20).Health.ToString().ShouldBe(health);

    [Theory]
    [InlineData(1, "Ok")]
    [InlineData(-30, "Warning")]
    [InlineData(600, "Error")]
    public void Clocks_that_differ_are_told(int seconds, string health) =>
        ClusterChecks.Clock(DateTimeOffset.UnixEpoch.AddSeconds(seconds), DateTimeOffset.UnixEpoch).Health.ToString().ShouldBe(health);

    [Fact]
    public async Task A_port_that_nobody_listens_on_and_one_that_asks_for_no_certificate_are_told()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var (certificate, key) = Authority(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(90));
        var serving = ServeAsync(listener, certificate, key);
        var findings = await new EdgePort("127.0.0.1", port, TimeProvider.System).FindAsync(null, Cancellation);
        findings.ShouldContain(finding => finding.What.Contains("asks for no client certificate"), string.Join('\n', findings));
        findings.ShouldContain(finding => finding.What.Contains("also speaks TLS 1.2"), string.Join('\n', findings));
        listener.Stop();
        await serving;
        (await new EdgePort("127.0.0.1", port, TimeProvider.System).FindAsync(null, Cancellation)).Single().What.ShouldContain("nobody listens");
    }

    private static async Task ServeAsync(TcpListener listener, string certificate, string key)
    {
        using var pair = X509Certificate2.CreateFromPem(certificate, key);
        try
        {
            while (true)
            {
                using var client = await listener.AcceptTcpClientAsync(Cancellation);
                await using var tls = new SslStream(client.GetStream());
                await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = pair }, Cancellation);
            }
        }
        catch (Exception ended) when (ended is SocketException or ObjectDisposedException or IOException)
        {
            // as asked
        }
    }

    private Task<IReadOnlyList<Finding>> LookAsync(DnsEndPoint? edgeAddress = null) => Doctor.FindAsync(null, Data, edgeAddress, TimeProvider.System, Cancellation);

    private static Finding Error(IEnumerable<Finding> findings, string check) => findings.First(finding => finding.Check == check && finding.Health == Health.Error);

    private static string Base64(string text) => Convert.ToBase64String(Encoding.ASCII.GetBytes(text));

    private static (string Certificate, string Key) Authority(DateTimeOffset from, DateTimeOffset until)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=another", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var certificate = request.CreateSelfSigned(from, until);
        return (certificate.ExportCertificatePem(), key.ExportECPrivateKeyPem());
    }

    private static async Task<int> RunAsync(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(program, arguments))!;
        await process.WaitForExitAsync();
        return process.ExitCode;
    }
}
