using System.Diagnostics;
using System.Globalization;
using System.Text;
using Flotta.KubernetesTests;

namespace Flotta.Bench;

/// <summary>Operator and Edge API, a process each, on a real kube-apiserver with its etcd.</summary>
internal sealed class KubernetesPlane : Plane
{
    private readonly KubeApiServer _server;
    private readonly int[] _processes;
    private ServerProcess _operator = null!;
    private ServerProcess _edge = null!;

    private KubernetesPlane(string folder, KubeApiServer server)
        : base(folder)
    {
        _server = server;
        _processes = Children("kube-apiserver", "etcd");
    }

    public override ServerProcess Edge => _edge;

    public override double CpuSeconds => _edge.CpuSeconds + _operator.CpuSeconds + _processes.Sum(ServerProcess.Cpu);

    /// <summary>Our own kube-apiserver and etcd among all processes of the machine.</summary>
    public static int[] Children(params string[] names)
    {
        return [.. Directory.GetDirectories("/proc").Select(folder => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0)
            .Where(id => id > 0 && names.Contains(Stat(id).Name) && IsOurs(id))];

        static bool IsOurs(int id)
        {
            for (; id > 1; id = Stat(id).Parent)
            {
                if (id == Environment.ProcessId)
                    return true;
            }

            return false;
        }
    }

    /// <summary>CPU seconds of kube-apiserver and etcd.</summary>
    public double ServerCpuSeconds => _processes.Sum(ServerProcess.Cpu);

    public static async Task<KubernetesPlane> StartAsync(string folder, CancellationToken cancellationToken)
    {
        var plane = await InstallAsync(folder, cancellationToken);
        try
        {
            plane._operator = await plane.StartAsync("operator", ("AUTO_APPROVAL_PROCESS", "true"));
            plane._edge = await plane.StartAsync("edge-api");
            await plane.FetchBootstrapAsync(cancellationToken);
            return plane;
        }
        catch
        {
            await plane.DisposeAsync();
            throw;
        }
    }

    /// <summary>The cluster and our definitions, and none of our programs.</summary>
    public static async Task<KubernetesPlane> InstallAsync(string folder, CancellationToken cancellationToken)
    {
        var plane = new KubernetesPlane(folder, await KubeApiServer.StartAsync(cancellationToken));
        try
        {
            await plane.InstallAsync();
            return plane;
        }
        catch
        {
            await plane.DisposeAsync();
            throw;
        }
    }

    /// <summary>One of our programs.</summary>
    public Task<ServerProcess> StartAsync(string role, params (string Name, string Value)[] environment) => ServerProcess.StartAsync(
        "flotta", [role, "--kubeconfig", KubeconfigFile, "--metrics-port", "0", .. (string[])(role == "edge-api" ? ["--edge-port", "0"] : [])], Log, environment);

    public override async Task RestartEdgeAsync()
    {
        var port = _edge.Port("edge");
        await _edge.DisposeAsync();
        _edge = await ServerProcess.StartAsync("flotta", ["edge-api", "--kubeconfig", KubeconfigFile, "--metrics-port", "0", "--edge-port", $"{port}"], Log);
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var role in new[] { _edge, _operator })
        {
            if (role is not null)
                await role.DisposeAsync();
        }

        await _server.DisposeAsync();
    }

    private async Task InstallAsync()
    {
        await File.WriteAllTextAsync(KubeconfigFile, _server.Kubeconfig("bench", "system:masters"));
        var definitions = Path.Combine(Folder, "crds.yaml");
        await File.WriteAllTextAsync(definitions, await RunAsync(Repository.Program("flotta"), "crds"));
        await RunAsync("kubectl", "--kubeconfig", KubeconfigFile, "apply", "-f", definitions);
        await RunAsync("kubectl", "--kubeconfig", KubeconfigFile, "wait", "--for=condition=Established", "crd", "--all");
        await RunAsync("kubectl", "--kubeconfig", KubeconfigFile, "create", "namespace", "flotta");
    }

    private async Task FetchBootstrapAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Bootstrap);
        using var kube = Kube();
        var authority = await kube.GetAsync("api/v1/namespaces/flotta/secrets/flotta-ca", cancellationToken);
        var bootstrap = (await kube.GetAsync("api/v1/namespaces/flotta/secrets?labelSelector=reg-client-ca%3Dtrue", cancellationToken))["items"]![0]!;
        await File.WriteAllBytesAsync(Path.Combine(Bootstrap, "ca.pem"), Convert.FromBase64String((string)authority["data"]!["ca.crt"]!), cancellationToken);
        await File.WriteAllBytesAsync(Path.Combine(Bootstrap, "cert.pem"), Convert.FromBase64String((string)bootstrap["data"]!["client.crt"]!), cancellationToken);
        await File.WriteAllBytesAsync(Path.Combine(Bootstrap, "key.pem"), Convert.FromBase64String((string)bootstrap["data"]!["client.key"]!), cancellationToken);
    }

    private static (string Name, int Parent) Stat(int id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            var end = stat.LastIndexOf(')');
            return (stat[(stat.IndexOf('(', StringComparison.Ordinal) + 1)..end], int.Parse(stat[(end + 2)..].Split(' ')[1], CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            return ("", 0);
        }
    }

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { UseShellExecute = false, RedirectStandardOutput = true, StandardOutputEncoding = Encoding.UTF8 };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} {arguments[0]} ended with {process.ExitCode}");
    }
}
