// The benches of what the documentation claims:
//   flotta-bench edge [--kubernetes]           the Edge API under a simulated fleet; with --kubernetes on a real kube-apiserver and etcd
//   flotta-bench agent PODMAN-SOCKET           what an idle device may cost
//   flotta-bench agent-metrics PODMAN-SOCKET   what metrics cost a device
//   flotta-bench api                           the embedded API server beside kube-apiserver and etcd, same requests, same client
//   flotta-bench scale                         Operator and Edge API with ten thousand EdgeDevices on a real kube-apiserver and etcd
// Needs out/flotta, out/flotta-fleet and out/flotta-bench-bare; KUBEBUILDER_ASSETS for what is real. Results go to bench/results.
using Flotta.Bench;

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, key) =>
{
    key.Cancel = true;
    stop.Cancel();
};
try
{
    switch (args)
    {
        case ["edge", .. var flags]:
            return await new EdgeBench(onKubernetes: flags.Contains("--kubernetes")).RunAsync(stop.Token) ? 0 : 1;
        case ["agent", var socket]:
            return await new AgentBench(socket).RunAsync(stop.Token) ? 0 : 1;
        case ["agent-metrics", var socket]:
            return await new AgentMetricsBench(socket).RunAsync(stop.Token) ? 0 : 1;
        case ["api", ..]:
            await ApiBench.RunAsync(stop.Token);
            return 0;
        case ["scale", ..]:
            await new ScaleBench().RunAsync(stop.Token);
            return 0;
        default:
            await Console.Error.WriteLineAsync("flotta-bench: edge [--kubernetes], api, scale, or agent or agent-metrics PODMAN-SOCKET");
            return 2;
    }
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    return 1;
}
