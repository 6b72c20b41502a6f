using System.Globalization;

namespace Flotta.EndToEnd.DataSync;

/// <summary>A real S3 server: s3rver from npm, with a certificate of the test's own authority. A bucket is a folder, so a test sees what is in it.</summary>
internal sealed class ObjectServer : IAsyncDisposable
{
    private const string Version = "3.7.1";
    private static readonly string Installed = Path.Combine(Path.GetTempPath(), "flotta-s3rver-" + Version);
    private readonly TemporaryFolder folder = new();
    private RunningProgram program = null!;

    public int Port { get; } = FreePort.Next();

    public string Address => FormattableString.Invariant($"127.0.0.1:{Port}");

    public string CaPem { get; private set; } = "";

    public string Said => program.Said;

    public static async Task<ObjectServer> StartAsync()
    {
        await InstallAsync();
        var server = new ObjectServer();
        using var authority = new LocalAuthority("objects");
        authority.Issue(server.folder.Path);
        server.CaPem = authority.Pem;
        await server.StartAgainAsync();
        return server;
    }

    public async Task StartAgainAsync()
    {
        program = await LastingThread.RunAsync(() => RunningProgram.Start(
            "setpriv",
            [
                "--pdeathsig", "KILL", "node", Path.Combine(Installed, "node_modules", "s3rver", "bin", "s3rver.js"), "--directory", folder.Sub("buckets"), "--address", "127.0.0.1",
                "--port", Port.ToString(CultureInfo.InvariantCulture), "--key", Path.Combine(folder.Path, "key.pem"), "--cert", Path.Combine(folder.Path, "cert.pem"), "--no-vhost-buckets",
                "--configure-bucket", "data",
            ]));
        await program.LineAsync(line => line.Contains("listening", StringComparison.Ordinal), TimeSpan.FromSeconds(30));
    }

    /// <summary>An object's content, null while there is none. (The server's own names for its files.)</summary>
    public string? Text(string key) => File.Exists(PathOf(key)) ? File.ReadAllText(PathOf(key)) : null;

    public string PathOf(string key) => Path.Combine(folder.Path, "buckets", "data", key + "._S3rver_object");

    public void Put(string key, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(key))!);
        File.WriteAllText(PathOf(key), content);
    }

    /// <summary>As if it had been put in parts: the server gives that ETag, whatever the content is.</summary>
    public void Put(string key, string content, string tag)
    {
        Put(key, content);
        File.WriteAllText(PathOf(key) + ".md5", tag);
    }

    public int Count(string prefix) => Directory.Exists(Path.GetDirectoryName(PathOf(prefix))) ? Directory.EnumerateFiles(Path.GetDirectoryName(PathOf(prefix))!, "*._S3rver_object", SearchOption.AllDirectories).Count() : 0;

    /// <summary>Parts that have arrived of uploads that are under way.</summary>
    public int Parts()
    {
        var uploads = Path.Combine(folder.Path, "buckets", "data", "._S3rver_uploads");
        return Directory.Exists(uploads) ? Directory.EnumerateFiles(uploads, "*.md5", SearchOption.AllDirectories).Count() : 0;
    }

    public async ValueTask DisposeAsync()
    {
        await program.DisposeAsync();
        folder.Dispose();
    }

    private static async Task InstallAsync()
    {
        if (File.Exists(Path.Combine(Installed, "whole")))
            return;
        var (exitCode, _, said) = await RunningProgram.RunAsync(
            "npm", ["install", "--prefix", Installed, "--no-audit", "--no-fund", "--ignore-scripts", "s3rver@" + Version], deadline: TimeSpan.FromMinutes(3));
        exitCode.ShouldBe(0, "s3rver could not be had from npm: " + said);
        await File.WriteAllTextAsync(Path.Combine(Installed, "whole"), "");
    }
}
