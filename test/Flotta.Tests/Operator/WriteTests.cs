using System.Net;
using Flotta.Kube;
using Flotta.Operator;
using Flotta.Resources;
using Flotta.Tests.Operator.Scenarios;
using k8s;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.Operator;

/// <summary>What is written, and what happens when some of it fails.</summary>
public sealed class WriteTests(EmbeddedServer server) : IClassFixture<EmbeddedServer>
{
    [Fact]
    public async Task A_request_is_not_called_approved_before_its_device_exists()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        await cluster.StopOperatorAsync();
        var name = TestCluster.Unique("device");
        var trouble = new Trouble { Fails = request => request.Method == HttpMethod.Post && request.RequestUri!.AbsolutePath.EndsWith("/edgedevices", StringComparison.Ordinal) };
        await using var host = await StartAsync(trouble);
        await cluster.CreateRequestAsync(name);
        await cluster.PatchAsync<EdgeDeviceSignedRequest>(name, """{"spec":{"approved":true}}""", "default");
        await TestCluster.WaitAsync(() => Task.FromResult(trouble.Failures >= 3), () => "the creation was not tried again");
        (await cluster.RequestAsync(name, _ => true)).Status?.Conditions.ShouldNotContain(condition => condition.Type == "approved" && condition.Status == "True");

        trouble.Fails = _ => false;
        await cluster.RequestAsync(name, request => request.Status?.Conditions.Any(condition => condition is { Type: "approved", Status: "True" }) == true);
        await cluster.DeviceAsync(name, _ => true);
    }

    [Fact]
    public async Task A_device_that_cannot_be_written_stops_no_other_and_keeps_the_workload()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        foreach (var name in new[] { "a", "stuck", "z" }) await cluster.CreateDeviceAsync(name, ("kind", "x"));
        await cluster.CreateWorkloadAsync("w", selector: TestCluster.Selects("kind", "x"));
        foreach (var name in new[] { "a", "stuck", "z" }) await cluster.DeviceAsync(name, device => device.Metadata.Labels.ContainsKey("workload/w"));
        await cluster.StopOperatorAsync();
        var trouble = new Trouble { Fails = request => request.Method == HttpMethod.Patch && request.RequestUri!.AbsolutePath.Contains("/edgedevices/stuck", StringComparison.Ordinal) };
        await using var host = await StartAsync(trouble);
        await cluster.Api.DeleteAsync<EdgeWorkload>(new(cluster.Namespace, "w"), TestContext.Current.CancellationToken);
        foreach (var name in new[] { "a", "z" }) await cluster.DeviceAsync(name, device => !device.Metadata.Labels.ContainsKey("workload/w"));
        await TestCluster.WaitAsync(() => Task.FromResult(trouble.Failures >= 3), () => "the write was not tried again");
        (await cluster.WorkloadAsync("w", _ => true)).Metadata.Finalizers.ShouldBe(["yggdrasil-device-reference-finalizer"]);

        trouble.Fails = _ => false;
        await cluster.GoneAsync<EdgeWorkload>("w");
    }

    [Theory]
    [InlineData("w")]
    [InlineData("wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww")]
    public async Task A_workload_whose_last_trace_is_a_label_goes_when_the_label_goes(string workload)
    {
        await using var cluster = await TestCluster.StartAsync(server);
        await cluster.CreateDeviceAsync("a", ("kind", "x"));
        await cluster.CreateWorkloadAsync(workload, selector: TestCluster.Selects("kind", "x"));
        await cluster.DeviceAsync("a", device => device.Metadata.Labels.Count == 2);
        await cluster.StopOperatorAsync();
        var trouble = new Trouble { Fails = request => request.Method == HttpMethod.Patch && request.RequestUri!.AbsolutePath.EndsWith("/edgedevices/a", StringComparison.Ordinal) };
        await using var host = await StartAsync(trouble);
        await cluster.Api.DeleteAsync<EdgeWorkload>(new(cluster.Namespace, workload), TestContext.Current.CancellationToken);
        await cluster.DeviceAsync("a", device => device.Status!.Workloads!.Count == 0);
        // Long enough for the workload to have been looked at in between.
        await TestCluster.WaitAsync(() => Task.FromResult(trouble.Failures >= 8), () => "the label was not tried again");
        trouble.Fails = _ => false;
        await cluster.GoneAsync<EdgeWorkload>(workload);
        (await cluster.DeviceAsync("a", _ => true)).Metadata.Labels.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_request_that_cannot_be_deleted_keeps_its_device()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        await cluster.StopOperatorAsync();
        var name = TestCluster.Unique("device");
        await cluster.CreateRequestAsync(name);
        await cluster.CreateDeviceAsync(name);
        var trouble = new Trouble { Fails = request => request.Method == HttpMethod.Delete };
        await using var host = await StartAsync(trouble);
        await cluster.Api.DeleteAsync<EdgeDevice>(new(cluster.Namespace, name), TestContext.Current.CancellationToken);
        await TestCluster.WaitAsync(() => Task.FromResult(trouble.Failures >= 3), () => "the deletion was not tried again");
        (await cluster.DeviceAsync(name, _ => true)).Metadata.Finalizers.ShouldBe(["device-finalizer"]);

        trouble.Fails = _ => false;
        await cluster.GoneAsync<EdgeDevice>(name);
        await cluster.GoneAsync<EdgeDeviceSignedRequest>(name, "default");
    }

    [Fact]
    public async Task Many_workloads_are_one_write_of_a_devices_status_and_one_of_its_labels()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        await cluster.StopOperatorAsync();
        await cluster.CreateDeviceAsync("a", ("kind", "x"));
        foreach (var number in Enumerable.Range(0, 5)) await cluster.CreateWorkloadAsync($"w{number}", selector: TestCluster.Selects("kind", "x"));
        var trouble = new Trouble { Fails = _ => false };
        await using (await StartAsync(trouble))
        {
            foreach (var number in Enumerable.Range(0, 5)) await cluster.WorkloadAsync($"w{number}", workload => workload.Status is { Devices: 1 });
            await cluster.DeviceAsync("a", device => device.Metadata.Labels.Count == 6);
        }

        trouble.Writes.Where(write => write.Contains($"/{cluster.Namespace}/edgedevices/a", StringComparison.Ordinal)).Count().ShouldBe(2);
    }

    [Fact]
    public async Task An_Operator_that_finds_everything_in_order_writes_nothing()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        var name = TestCluster.Unique("device");
        await cluster.CreateRequestAsync(name);
        await cluster.PatchAsync<EdgeDeviceSignedRequest>(name, """{"spec":{"approved":true}}""", "default");
        await cluster.DeviceAsync(name, _ => true);
        await cluster.CreateWorkloadAsync("w", device: name);
        await cluster.WorkloadAsync("w", workload => workload.Status is { Devices: 1 });
        await cluster.DeviceAsync(name, device => device.Metadata.Labels.ContainsKey("workload/w"));
        await cluster.RequestAsync(name, request => request.Status?.Conditions.Any(condition => condition is { Type: "approved", Status: "True" }) == true);
        await cluster.StopOperatorAsync();

        var trouble = new Trouble { Fails = _ => false };
        await using (await StartAsync(trouble))
        {
            // By the time this new one is done, the old ones were looked at too.
            var other = TestCluster.Unique("device");
            await cluster.CreateRequestAsync(other);
            await cluster.RequestAsync(other, request => request.Status is not null);
            await cluster.CreateWorkloadAsync("v", device: name);
            await cluster.WorkloadAsync("v", workload => workload.Status is { Devices: 1 });
        }

        trouble.Writes.ShouldNotContain(write => write.EndsWith("/edgedevicesignedrequest/" + name + "/status", StringComparison.Ordinal));
        trouble.Writes.ShouldNotContain(write => write.Contains($"/{cluster.Namespace}/edgeworkloads/w", StringComparison.Ordinal));
        trouble.Writes.Where(write => write.Contains($"/{cluster.Namespace}/edgedevices/", StringComparison.Ordinal)).Count().ShouldBe(2);
    }

    private Task<OperatorHost> StartAsync(Trouble trouble)
    {
        var api = KubeApi.Connect(TestCluster.Configuration(server.OperatorKubeconfig), TimeProvider.System, trouble);
        return OperatorHost.StartAsync(new(), api, "test", NullLoggerFactory.Instance, TimeProvider.System, TestContext.Current.CancellationToken);
    }

    private sealed class Trouble : DelegatingHandler
    {
        private int failures;

        public int Failures => Volatile.Read(ref failures);

        public required Func<HttpRequestMessage, bool> Fails { get; set; }

        public System.Collections.Concurrent.ConcurrentQueue<string> Writes { get; } = [];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (request.Method != HttpMethod.Get) Writes.Enqueue(request.RequestUri!.AbsolutePath);
            if (!Fails(request)) return base.SendAsync(request, cancellationToken);
            Interlocked.Increment(ref failures);
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.InternalServerError) { Content = new StringContent("""{"kind":"Status","code":500,"message":"trouble"}""") });
        }
    }
}
