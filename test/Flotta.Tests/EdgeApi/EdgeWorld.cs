using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Flotta.ApiServer;
using Flotta.EdgeApi;
using Flotta.EdgeApi.Certificates;
using Flotta.Kube;
using Flotta.Resources;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.EdgeApi;

/// <summary>A real API server and a real Edge API on free ports, and the clock that the Edge API goes by.</summary>
public sealed class EdgeWorld : IAsyncLifetime
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("flotta-edge-");
    private EmbeddedApiServer? server;
    private int named;

    public EdgeApiHost Host { get; private set; } = null!;

    public KubeApi Kube { get; private set; } = null!;

    internal AuthorityState Authority { get; private set; } = null!;

    public BootstrapMaterial Bootstrap { get; private set; } = null!;

    public ShiftedTime Time { get; } = new();

    public KubernetesClientConfiguration Configuration =>
        KubernetesClientConfiguration.BuildConfigFromConfigFile(new MemoryStream(Encoding.UTF8.GetBytes(server!.Kubeconfig("edge", "system:masters"))));

    /// <summary>The Edge API has the rights that deploy/kubernetes gives it, and no others.</summary>
    private InProcessAccess AccountAccess => new(server!.Address, server.AccountHandler("flotta", "flotta-edge-api"));

    public async ValueTask InitializeAsync()
    {
        server = await EmbeddedApiServer.StartAsync(new() { DataDirectory = folder.FullName, Port = 0 }, NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None);
        Kube = KubeApi.Connect(Configuration, TimeProvider.System);
        await Operator.EmbeddedAccess.GrantAsync(server.Kubeconfig("admin", "system:masters"));
        await Operator.Scenarios.Kinds.ApplyAsync(Kube, CancellationToken.None);
        foreach (var name in new[] { "default", "flotta", "edge" })
            await EnsureNamespaceAsync(name);
        await StartAsync(new EdgeApiOptions());
    }

    public async Task StartAsync(EdgeApiOptions options)
    {
        if (Host != null)
            await Host.DisposeAsync();
        Host = await EdgeApiHost.StartAsync(
            options with { Listen = System.Net.IPAddress.Loopback, Port = 0, Replica = "test" }, AccountAccess, NullLoggerFactory.Instance, Time, CancellationToken.None);
        Bootstrap = await Host.BootstrapAsync(CancellationToken.None);
        var secret = await Kube.GetAsync<V1Secret>(new ObjectKey("flotta", "flotta-ca"), CancellationToken.None);
        var pair = new StoredPair("flotta-ca", Encoding.ASCII.GetString(secret!.Data["ca.crt"]), Encoding.ASCII.GetString(secret.Data["ca.key"]), null, null);
        Authority = new AuthorityState(pair, pair);
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        Kube.Dispose();
        if (server != null)
            await server.DisposeAsync();
        folder.Delete(recursive: true);
    }

    /// <summary>An id that no other test uses.</summary>
    public string NewId(string prefix = "dev") => $"{prefix}-{Interlocked.Increment(ref named)}-{RandomNumberGenerator.GetHexString(6, lowercase: true)}";

    public EdgeClient AsNewcomer() => Client(X509Certificate2.CreateFromPem(Bootstrap.CertificatePem, Bootstrap.KeyPem));

    public EdgeClient Client(X509Certificate2? certificate, params X509Certificate2[] beside) => new(Host.Address, Bootstrap.CaPem, certificate, beside);

    /// <summary>A registered device with a recorded certificate.</summary>
    public async Task<(string Id, EdgeClient Client)> DeviceAsync(Action<EdgeDevice>? change = null, Func<EdgeDeviceSpec, EdgeDeviceSpec>? spec = null, string @namespace = "default")
    {
        var id = NewId();
        var (certificate, serial) = CertificateFor(id, @namespace);
        var device = new EdgeDevice { Metadata = new V1ObjectMeta { Name = id, NamespaceProperty = @namespace }, Spec = (spec ?? (same => same))(new EdgeDeviceSpec()) };
        change?.Invoke(device);
        await Kube.CreateAsync(device, CancellationToken.None);
        await RecordAsync(id, new CertificateStatus { Serial = serial, Confirmed = true, NotAfter = Time.GetUtcNow().AddDays(30) }, @namespace);
        var client = Client(certificate);
        await Eventually.True(async () =>
        {
            using var response = await client.GetAsync(id, "control");
            return response.StatusCode == System.Net.HttpStatusCode.OK && (await response.Content.ReadAsStringAsync()).Length == 0;
        });
        return (id, client);
    }

    public Task RecordAsync(string id, CertificateStatus certificate, string @namespace = "default") => Kube.MergePatchStatusAsync<EdgeDevice>(
        new ObjectKey(@namespace, id),
        new System.Text.Json.Nodes.JsonObject
        {
            ["status"] = new System.Text.Json.Nodes.JsonObject { ["certificate"] = KubeJson.Node(certificate) },
        },
        CancellationToken.None);

    /// <summary>A certificate as our authority would have signed it <paramref name="age"/> days ago.</summary>
    public (X509Certificate2 Certificate, string Serial) CertificateFor(string id, string @namespace = "default", int age = 0)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var serial = Issue.RandomSerial();
        using var certificate = Issue.Device(Authority.Ca, new PublicKey(key), id, @namespace, 30, serial, Time.GetUtcNow().AddDays(-age));
        return (certificate.CopyWithPrivateKey(key), Convert.ToHexStringLower(serial));
    }

    public Task<EdgeDevice?> FindAsync(string id, string @namespace = "default") => Kube.GetAsync<EdgeDevice>(new ObjectKey(@namespace, id), CancellationToken.None);

    private async Task EnsureNamespaceAsync(string name)
    {
        try
        {
            await Kube.CreateAsync(new V1Namespace { ApiVersion = "v1", Kind = "Namespace", Metadata = new V1ObjectMeta { Name = name } }, CancellationToken.None);
        }
        catch (KubeException taken) when (taken.IsConflict)
        {
            // It is there already.
        }
    }
}

/// <summary>The system's clock, moved.</summary>
public sealed class ShiftedTime : TimeProvider
{
    public TimeSpan Shift { get; set; }

    /// <summary>How much more time seems to have passed than has.</summary>
    public TimeSpan Passed { get; set; }

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Shift;

    public override long GetTimestamp() => System.GetTimestamp() + (long)(Passed.TotalSeconds * TimestampFrequency);
}
