using System.Globalization;
using System.Text;

namespace Flotta.EndToEnd.Workloads;

/// <summary>A real docker-registry with TLS of its own authority and a password.</summary>
internal sealed class Registry : IAsyncDisposable
{
    private const string User = "device";
    private const string Password = "let $me `in`";
    private readonly TemporaryFolder folder;
    private readonly RunningProgram program;

    private Registry(TemporaryFolder folder, RunningProgram program, string address) => (this.folder, this.program, Address) = (folder, program, address);

    public string Address { get; }

    /// <summary>For podman's service, so that it believes the registry.</summary>
    public string Authority => Path.Combine(folder.Path, "cert.pem");

    public string AuthFile => AuthFileWith(Password);

    public static string Credentials => $"{User}:{Password}";

    public static async Task<Registry> StartAsync()
    {
        var folder = new TemporaryFolder();
        var address = string.Create(CultureInfo.InvariantCulture, $"localhost:{FreePort.Next()}");
        var (code, passwords, said) = await RunningProgram.RunAsync("htpasswd", ["-Bbn", User, Password]);
        code.ShouldBe(0, said);
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "htpasswd"), passwords + "\n");
        (await RunningProgram.RunAsync(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                "-keyout", Path.Combine(folder.Path, "key.pem"), "-out", Path.Combine(folder.Path, "cert.pem"),
            ])).ExitCode.ShouldBe(0);
        var configuration = Path.Combine(folder.Path, "registry.yml");
        await File.WriteAllTextAsync(configuration, $$"""
            version: 0.1
            log: {level: warn}
            storage: {filesystem: {rootdirectory: {{folder.Path}}/images} }
            http:
              addr: {{address}}
              tls: {certificate: {{folder.Path}}/cert.pem, key: {{folder.Path}}/key.pem}
            auth: {htpasswd: {realm: test, path: {{folder.Path}}/htpasswd} }
            """);
        var program = await LastingThread.RunAsync(() => RunningProgram.Start("setpriv", ["--pdeathsig", "KILL", "docker-registry", "serve", configuration]));
        var registry = new Registry(folder, program, address);
        await Eventually.TrueAsync(
            async () => (await RunningProgram.RunAsync("curl", ["-s", "-o", "/dev/null", "--cacert", registry.Authority, $"https://{address}/v2/"])).ExitCode == 0, TimeSpan.FromSeconds(20), () => program.Said);
        return registry;
    }

    public string AuthFileWith(string password) =>
        "{\"auths\":{\"" + Address + "\":{\"auth\":\"" + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{User}:{password}")) + "\"}}}";

    /// <summary>Puts a local image there, under that name, and takes the name away from the device again.</summary>
    public async Task PushAsync(PodmanHost podman, string image, string name)
    {
        await podman.RunAsync("push", "--quiet", "--creds", Credentials, image, $"{Address}/{name}");
    }

    public async ValueTask DisposeAsync()
    {
        await program.DisposeAsync();
        folder.Dispose();
    }
}
