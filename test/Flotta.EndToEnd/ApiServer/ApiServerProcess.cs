using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Flotta.EndToEnd.ApiServer;

/// <summary>`flotta api-server` at one address for the whole test, however often it is killed and started again.</summary>
internal sealed class ApiServerProcess(string folder, int port) : IAsyncDisposable
{
    private RunningProgram? program;

    public string Kubeconfig => Path.Combine(folder, "kubeconfig");

    public Uri Address { get; } = new($"https://127.0.0.1:{port}");

    public double MemoryMiB => program!.MemoryMiB;

    public async Task StartAsync()
    {
        program = RunningProgram.Start(Programs.Flotta, ["api-server", "--data-dir", folder, "--kube-port", port.ToString(CultureInfo.InvariantCulture), "--log-level", "error"]);
        await program.LineAsync(line => line.StartsWith("ready ", StringComparison.Ordinal), TimeSpan.FromSeconds(60));
    }

    /// <summary>As kill -9 does.</summary>
    public async Task KillAsync()
    {
        program!.Kill();
        await program.DisposeAsync();
    }

    public async Task StopAsync()
    {
        program!.Terminate();
        await program.EndAsync(TimeSpan.FromSeconds(30));
        await program.DisposeAsync();
    }

    /// <summary>With the certificate of the kubeconfig; it outlives the server.</summary>
    public HttpClient Client()
    {
        var text = File.ReadAllText(Kubeconfig);
        var handler = new SocketsHttpHandler { MaxConnectionsPerServer = 64 };
        handler.SslOptions = new SslClientAuthenticationOptions
        {
            ClientCertificates = [X509Certificate2.CreateFromPem(Pem(text, "client-certificate-data"), Pem(text, "client-key-data"))],
            CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck },
        };
        handler.SslOptions.CertificateChainPolicy.CustomTrustStore.ImportFromPem(Pem(text, "certificate-authority-data"));
        return new HttpClient(handler) { BaseAddress = Address, Timeout = Timeout.InfiniteTimeSpan };
    }

    public async ValueTask DisposeAsync()
    {
        if (program is not null)
            await program.DisposeAsync();
    }

    private static string Pem(string kubeconfig, string name)
    {
        var line = kubeconfig.Split('\n').First(each => each.Contains(" " + name + ":", StringComparison.Ordinal));
        return Encoding.UTF8.GetString(Convert.FromBase64String(line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim().Trim('"')));
    }
}
