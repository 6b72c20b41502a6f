using System.Net;
using System.Security.Cryptography;
using Flotta.EndToEnd;

namespace Flotta.KubernetesTests;

/// <summary>
/// A real kube-apiserver with its etcd, on free loopback ports, with RBAC. Both die with whoever started them, also after kill -9:
/// each runs under a shell that kills it as soon as the shell's standard input ends.
/// </summary>
public sealed class KubeApiServer : IAsyncDisposable
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromMinutes(2);

    private readonly DirectoryInfo folder;
    private readonly TestCertificates certificates;
    private readonly List<ChildProcess> children = [];
    private Func<ChildProcess>? startEtcd;
    private ChildProcess? etcd;

    private KubeApiServer(DirectoryInfo folder, TestCertificates certificates, int port)
    {
        this.folder = folder;
        this.certificates = certificates;
        Address = new Uri($"https://127.0.0.1:{port}");
    }

    public Uri Address { get; }

    /// <summary>Where etcd is asked without an API server. It calls a socket by a host and a port, in the folder that it runs in.</summary>
    public string EtcdSocket => In("localhost:1");

    /// <summary>Where kubectl is; the folder of KUBEBUILDER_ASSETS.</summary>
    public static string? Assets => Environment.GetEnvironmentVariable("KUBEBUILDER_ASSETS") is { Length: > 0 } assets ? assets : null;

    /// <summary>Why there can be no such server here; null when there can.</summary>
    public static string? Missing =>
        Assets is not { } assets
            ? "KUBEBUILDER_ASSETS is not set: it names the folder with kube-apiserver and etcd to test against."
            : new[] { "kube-apiserver", "etcd" }.FirstOrDefault(program => !File.Exists(Path.Combine(assets, program))) is { } missing
                ? $"KUBEBUILDER_ASSETS is {assets}, and there is no {missing} in it."
                : null;

    /// <summary>A kubeconfig for anybody: the API server believes this client certificate's names. system:masters may do everything.</summary>
    public string Kubeconfig(string user, params string[] groups) => Kubeconfig(Address, user, groups);

    /// <summary>The same for something that stands in front of the API server.</summary>
    public string Kubeconfig(Uri address, string user, params string[] groups)
    {
        var (certificate, key) = certificates.Client(user, groups);
        return $"""
            apiVersion: v1
            kind: Config
            current-context: test
            contexts: [{"{"}name: test, context: {"{"}cluster: test, user: test{"}}"}]
            clusters: [{"{"}name: test, cluster: {"{"}server: "{address.GetLeftPart(UriPartial.Authority)}", certificate-authority-data: {Base64(certificates.CaPem)}{"}}"}]
            users: [{"{"}name: test, user: {"{"}client-certificate-data: {Base64(certificate)}, client-key-data: {Base64(key)}{"}}"}]
            """;
    }

    public static async Task<KubeApiServer> StartAsync(CancellationToken cancellationToken, params string[] flags)
    {
        if (Missing is { } reason) throw new InvalidOperationException(reason);
        int[] ports = [FreePort.Next(), FreePort.Next(), FreePort.Next()];
        var server = new KubeApiServer(Directory.CreateTempSubdirectory("flotta-kube-"), TestCertificates.Create(), ports[2]);
        try
        {
            await server.RunAsync(ports[0], ports[1], ports[2], flags, cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    internal TestCertificates Certificates => certificates;

    /// <summary>Takes etcd away: frozen it still has its connections, killed it has to be started again.</summary>
    internal Task StopEtcdAsync(bool kill, CancellationToken cancellationToken) => etcd!.SignalAsync(kill ? "KILL" : "STOP", cancellationToken);

    internal async Task StartEtcdAsync(bool killed, CancellationToken cancellationToken)
    {
        if (!killed)
        {
            await etcd!.SignalAsync("CONT", cancellationToken);
            return;
        }

        children.Remove(etcd!);
        await etcd!.DisposeAsync();
        children.Insert(0, etcd = startEtcd!());
    }

    public async ValueTask DisposeAsync()
    {
        // The API server first: without etcd it would only complain.
        foreach (var child in children.AsEnumerable().Reverse()) await child.DisposeAsync();
        certificates.Dispose();
        folder.Delete(recursive: true);
    }

    private async Task RunAsync(int etcdPort, int peerPort, int port, string[] flags, CancellationToken cancellationToken)
    {
        var address = $"http://127.0.0.1:{etcdPort}";
        startEtcd = () =>
        {
            // One that was killed leaves its socket, and the next does not start over it.
            File.Delete(EtcdSocket);
            return ChildProcess.Start(
                Path.Combine(Assets!, "etcd"),
                In("etcd.log"),
                "--data-dir", In("etcd"),
                "--listen-client-urls", $"{address},unix://{Path.GetFileName(EtcdSocket)}",
                "--advertise-client-urls", address,
                "--listen-peer-urls", $"http://127.0.0.1:{peerPort}",
                "--initial-advertise-peer-urls", $"http://127.0.0.1:{peerPort}",
                "--initial-cluster", $"default=http://127.0.0.1:{peerPort}");
        };
        children.Add(etcd = startEtcd());

        using var serviceAccounts = RSA.Create(2048);
        var (certificate, key) = certificates.Server();
        await WriteAsync("ca.pem", certificates.CaPem, cancellationToken);
        await WriteAsync("server.pem", certificate, cancellationToken);
        await WriteAsync("server.key", key, cancellationToken);
        await WriteAsync("accounts.key", serviceAccounts.ExportRSAPrivateKeyPem(), cancellationToken);
        children.Add(ChildProcess.Start(
            Path.Combine(Assets!, "kube-apiserver"),
            In("kube-apiserver.log"),
            [
                "--etcd-servers", address,
                "--bind-address", "127.0.0.1",
                "--secure-port", $"{port}",
                "--tls-cert-file", In("server.pem"),
                "--tls-private-key-file", In("server.key"),
                "--client-ca-file", In("ca.pem"),
                "--authorization-mode", "RBAC",
                "--service-account-key-file", In("accounts.key"),
                "--service-account-signing-key-file", In("accounts.key"),
                "--service-account-issuer", "https://127.0.0.1",
                "--service-cluster-ip-range", "10.0.0.0/24",
                "--disable-admission-plugins", "ServiceAccount",
                "--cert-dir", In("certs"),
                .. flags,
            ]));
        await WaitAsync(cancellationToken);
    }

    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        using var handler = certificates.Handler("waiting", "system:masters");
        using var http = new HttpClient(handler) { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(5) };
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(StartDeadline);
        while (true)
        {
            if (children.FirstOrDefault(child => child.HasExited) is { } dead)
                throw new InvalidOperationException($"{dead.Name} ended at once:\n{await dead.LastWordsAsync(cancellationToken)}");
            try
            {
                using var answer = await http.GetAsync(new Uri("/readyz", UriKind.Relative), deadline.Token);
                if (answer.StatusCode == HttpStatusCode.OK) return;
            }
            catch (Exception error) when (error is HttpRequestException or TaskCanceledException)
            {
                if (deadline.IsCancellationRequested)
                    throw new TimeoutException($"kube-apiserver was not ready within {StartDeadline}:\n{await children[^1].LastWordsAsync(cancellationToken)}", error);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), deadline.Token);
        }
    }

    private string In(string name) => Path.Combine(folder.FullName, name);

    private Task WriteAsync(string name, string text, CancellationToken cancellationToken) => File.WriteAllTextAsync(In(name), text, cancellationToken);

    private static string Base64(string text) => Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(text));
}
