using System.Diagnostics;
using System.Globalization;
using System.Text;
using Flotta.KubernetesTests;

namespace Flotta.Bench;

/// <summary>Operator and Edge API with ten thousand EdgeDevices on a real kube-apiserver and etcd: how long until they know them, what they weigh, how long a workload for all of them takes.</summary>
internal sealed class ScaleBench
{
    private const string Devices = "apis/management.project-flotta.io/v1alpha1/namespaces/default/edgedevices";
    private const string Workloads = "apis/management.project-flotta.io/v1alpha1/namespaces/default/edgeworkloads";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly int _devices = int.TryParse(Environment.GetEnvironmentVariable("FLOTTA_BENCH_SCALE"), NumberStyles.None, CultureInfo.InvariantCulture, out var given) ? given : 10_000;
    private readonly Results _results = new("scale-kubernetes", "Many EdgeDevices on a real kube-apiserver and etcd", "bench/run.sh scale-kubernetes", "measure", "value");

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (KubeApiServer.Missing is { } missing)
        {
            Console.WriteLine($"left out: {missing}");
            return;
        }

        var folder = Directory.CreateTempSubdirectory("flotta-bench-").FullName;
        try
        {
            await using var cluster = await KubernetesPlane.InstallAsync(folder, cancellationToken);
            using var kube = cluster.Kube();
            var empty = await WeighAsync(cluster, "operator", "edge-api");
            _results.Row("resident memory with no device: Operator, Edge API", $"{Number(empty[0].MiB)} MiB, {Number(empty[1].MiB)} MiB");
            var clock = Stopwatch.StartNew();
            await SeedAsync(kube, cancellationToken);
            _results.Row($"{_devices:N0} EdgeDevices of 3.7 KB written by the bench, two requests each", $"{Number(clock.Elapsed.TotalSeconds)} s");
            var full = await WeighAsync(cluster, "operator", "edge-api");
            foreach (var (name, before, after) in (IEnumerable<(string, Weight, Weight)>)[("Operator", empty[0], full[0]), ("Edge API", empty[1], full[1])])
            {
                _results.Row($"{name}: start to ready (all of them read)", $"{Number(after.Ready.TotalSeconds, "N2")} s, {Number(after.Cpu, "N1")} s of CPU");
                _results.Row($"{name}: resident memory 10 s later", $"{Number(after.MiB)} MiB; {Number((after.MiB - before.MiB) * 1024 / _devices, "N1")} KiB for each device");
            }

            await PlaceAsync(cluster, kube, cancellationToken);
            await _results.WriteAsync(cancellationToken);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>One workload for all: until every EdgeDevice shows it, and until the last trace of it is gone.</summary>
    private async Task PlaceAsync(KubernetesPlane cluster, KubeClient kube, CancellationToken cancellationToken)
    {
        await using var theOperator = await cluster.StartAsync("operator");
        await using var edge = await cluster.StartAsync("edge-api");
        var clock = Stopwatch.StartNew();
        var (cpu, server) = (theOperator.CpuSeconds, cluster.ServerCpuSeconds);
        await kube.ApplyAsync(Workloads, "scale", Workload, cancellationToken);
        await UntilAsync(async () => (int?)(await kube.GetAsync($"{Workloads}/scale", cancellationToken))["status"]?["devices"] == _devices);
        var seconds = clock.Elapsed.TotalSeconds;
        _results.Row("one EdgeWorkload for all: apply until every EdgeDevice shows it (two writes each)", $"{Number(seconds)} s; {Number(_devices / seconds)} devices/s");
        _results.Row("the same: CPU of Operator; of kube-apiserver and etcd", $"{Number(theOperator.CpuSeconds - cpu)} s; {Number(cluster.ServerCpuSeconds - server)} s");
        _results.Row("resident memory right after: Operator, Edge API", $"{Number(theOperator.MemoryMiB)} MiB, {Number(edge.MemoryMiB)} MiB");
        clock.Restart();
        await kube.DeleteAsync($"{Workloads}/scale", cancellationToken);
        await UntilAsync(async () => (await kube.GetAsync(Workloads, cancellationToken))["items"]!.AsArray().Count == 0);
        _results.Row("delete until no EdgeDevice shows it any more", $"{Number(clock.Elapsed.TotalSeconds)} s");
    }

    private static async Task<List<Weight>> WeighAsync(KubernetesPlane cluster, params string[] roles)
    {
        var weights = new List<Weight>();
        foreach (var role in roles)
        {
            await using var program = await cluster.StartAsync(role);
            await Task.Delay(TimeSpan.FromSeconds(10));
            weights.Add(new(program.StartedIn, program.MemoryMiB, program.CpuSeconds));
        }

        return weights;
    }

    private async Task SeedAsync(KubeClient kube, CancellationToken cancellationToken) =>
        await Parallel.ForAsync(1, _devices + 1, new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = cancellationToken }, async (number, cancellation) =>
        {
            var name = $"scale-{number:D5}";
            await kube.PostAsync(Devices, Encoding.UTF8.GetBytes(Device(name)), cancellation);
            await kube.MergePatchAsync($"{Devices}/{name}/status", Encoding.UTF8.GetBytes(Status(name, number)), cancellation);
        });

    private static async Task UntilAsync(Func<Task<bool>> reached)
    {
        for (var began = Stopwatch.StartNew(); !await reached();)
        {
            if (began.Elapsed > Patience) throw new TimeoutException("what was waited for did not come");
            await Task.Delay(TimeSpan.FromMilliseconds(250));
        }
    }

    private static string Number(double value, string format = "N0") => Results.Number(value, format);

    private static string Device(string name) =>
        $$"""
        {"apiVersion":"management.project-flotta.io/v1alpha1","kind":"EdgeDevice","metadata":{"name":"{{name}}","finalizers":["device-finalizer"],
         "labels":{"device.system-manufacturer":"flotta-fleet","device.system-product":"simulated-device","device.cpu-architecture":"x86_64","device.cpu-model":"Simulated","device.system-serial":"{{name}}","device.hostname":"{{name}}"} },
         "spec":{"requestTime":"2026-01-02T03:04:05Z"} }
        """;

    private static string Status(string name, int number) =>
        $$"""
        {"status":{"phase":"up","lastSeenTime":"2026-01-02T03:04:05Z","lastSyncedResourceVersion":"0123456789abcdef0123456789abcdef",
         "conditions":[{{string.Join(',', ((string[])["Connected", "UpToDate", "WorkloadsReady"]).Select(type => $$"""{"type":"{{type}}","status":"{{(type == "Connected" ? "False" : "True")}}","reason":"Reported","lastTransitionTime":"2026-01-02T03:04:05Z"}"""))}}],
         "hardware":{"hostname":"{{name}}","boot":{"currentBootMode":"uefi"},
          "cpu":{"architecture":"x86_64","count":4,"frequency":"1800","modelName":"Simulated CPU @ 1.80GHz","flags":["fpu","vme","de","pse","tsc","msr","pae","mce","cx8","apic","sep","mtrr","sse","sse2","ssse3","sse4_1","sse4_2","aes","avx","avx2","rdrand"]},
          "memory":{"physicalBytes":8589934592,"usableBytes":7516192768},"gpus":[],"hostDevices":[],"mounts":[{"device":"/dev/sda1","directory":"/","type":"ext4","options":"rw,relatime"}],
          "disks":[{"name":"sda","path":"/dev/sda","driveType":"SSD","model":"SIM-64","serial":"{{name}}","sizeBytes":68719476736,"bootable":true}],
          "interfaces":[{"name":"eth0","macAddress":"02:00:00:00:{{number / 256 % 256:x2}}:{{number % 256:x2}}","ipv4Addresses":["10.0.{{number / 256 % 256}}.{{number % 256}}/8"],"flags":["up","broadcast"],"hasCarrier":true,"mtu":1500,"speedMbps":1000,"vendor":"simulated"}],
          "systemVendor":{"manufacturer":"flotta-fleet","productName":"simulated device","serialNumber":"{{name}}","virtual":true} } } }
        """;

    private const string Workload =
        """
        {"apiVersion":"management.project-flotta.io/v1alpha1","kind":"EdgeWorkload","metadata":{"name":"scale"},
         "spec":{"type":"pod","deviceSelector":{"matchLabels":{"device.system-manufacturer":"flotta-fleet"} },
         "pod":{"spec":{"containers":[{"name":"app","image":"registry.example.com/app:1"}]} } } }
        """;

    private sealed record Weight(TimeSpan Ready, double MiB, double Cpu);
}
