using System.Text;
using System.Text.Json.Nodes;
using Flotta.Kube;
using Flotta.Operator;
using Flotta.Resources;
using k8s;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.Operator.Scenarios;

/// <summary>A person with kubectl, and an Operator, on some API server. Each has a namespace of its own; enrolment requests share one, by names of their own.</summary>
public sealed class TestCluster : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly Func<KubernetesClientConfiguration> connect;
    private OperatorHost? host;

    private TestCluster(string person, string theOperator)
    {
        connect = () => Configuration(theOperator);
        Api = KubeApi.Connect(Configuration(person), TimeProvider.System);
    }

    public KubeApi Api { get; }

    public string Namespace { get; } = Unique("ns");

    public static async Task<TestCluster> StartAsync(ITestServer server, OperatorOptions? options = null)
    {
        var cluster = new TestCluster(server.Kubeconfig, server.OperatorKubeconfig);
        await cluster.DefineAsync();
        await cluster.CreateNamespaceAsync(cluster.Namespace);
        await cluster.CreateNamespaceAsync(Names.OperatorNamespace);
        await cluster.RestartOperatorAsync(options);
        return cluster;
    }

    public static string Unique(string name) => $"{name}-{Guid.NewGuid():N}"[..(name.Length + 9)];

    public static KubernetesClientConfiguration Configuration(string kubeconfig)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(kubeconfig));
        return KubernetesClientConfiguration.BuildConfigFromConfigFile(stream);
    }

    public async Task RestartOperatorAsync(OperatorOptions? options = null)
    {
        await StopOperatorAsync();
        host = await OperatorHost.StartAsync(options ?? new() { CountsEvery = TimeSpan.FromMilliseconds(50) }, connect(), NullLoggerFactory.Instance, TimeProvider.System, Cancellation);
    }

    public async Task StopOperatorAsync()
    {
        if (host is not null) await host.DisposeAsync();
        host = null;
    }

    public Task CreateNamespaceAsync(string name) =>
        UnlessThereAsync(Api.CreateAsync(new V1Namespace { ApiVersion = "v1", Kind = "Namespace", Metadata = new() { Name = name } }, Cancellation));

    public Task<EdgeDevice> CreateDeviceAsync(string name, params (string Key, string Value)[] labels) => Api.CreateAsync(
        new EdgeDevice
        {
            Metadata = new()
            {
                Name = name,
                NamespaceProperty = Namespace,
                Labels = labels.ToDictionary(label => label.Key, label => label.Value, StringComparer.Ordinal),
                Finalizers = [Names.Finalizers.Device],
            },
        },
        Cancellation);

    public Task<EdgeWorkload> CreateWorkloadAsync(string name, string? device = null, V1LabelSelector? selector = null, IList<string>? finalizers = null) => Api.CreateAsync(
        new EdgeWorkload
        {
            Metadata = new() { Name = name, NamespaceProperty = Namespace, Finalizers = finalizers },
            Spec = new()
            {
                Type = "pod",
                Device = device,
                DeviceSelector = selector,
                Pod = new() { Spec = PodSpec.Parse("""{"containers":[{"name":"c","image":"localhost/flotta-hello:1"}]}""") },
            },
        },
        Cancellation);

    public static V1LabelSelector Selects(string key, string value) =>
        new() { MatchLabels = new Dictionary<string, string>(StringComparer.Ordinal) { [key] = value } };

    public Task<EdgeDeviceSignedRequest> CreateRequestAsync(string name, string? @namespace = null, string? key = null, string? set = null) => Api.CreateAsync(
        new EdgeDeviceSignedRequest
        {
            Metadata = new() { Name = name, NamespaceProperty = Names.EnrolmentNamespace },
            Spec = new() { TargetNamespace = @namespace ?? Namespace, KeyFingerprint = key, TargetSet = set },
        },
        Cancellation);

    public Task PatchAsync<T>(string name, string patch, string? @namespace = null)
        where T : class =>
        Api.MergePatchAsync<T>(new(@namespace ?? Namespace, name), JsonNode.Parse(patch)!.AsObject(), Cancellation);

    public Task PatchStatusAsync<T>(string name, string patch)
        where T : class =>
        Api.MergePatchStatusAsync<T>(new(Namespace, name), JsonNode.Parse(patch)!.AsObject(), Cancellation);

    public Task<EdgeDevice> DeviceAsync(string name, Func<EdgeDevice, bool> until) => UntilAsync(name, until);

    public Task<EdgeWorkload> WorkloadAsync(string name, Func<EdgeWorkload, bool> until) => UntilAsync(name, until);

    public Task<EdgeDeviceSignedRequest> RequestAsync(string name, Func<EdgeDeviceSignedRequest, bool> until) =>
        UntilAsync(name, until, Names.EnrolmentNamespace);

    public Task GoneAsync<T>(string name, string? @namespace = null)
        where T : class =>
        WaitAsync(async () => await Api.GetAsync<T>(new(@namespace ?? Namespace, name), Cancellation) is null, () => $"{typeof(T).Name} {name} is still there");

    public static async Task WaitAsync(Func<Task<bool>> until, Func<string> otherwise)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await until())
        {
            if (TimeProvider.System.GetElapsedTime(started) > Deadline) throw new TimeoutException(otherwise());
            await Task.Delay(100, Cancellation);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopOperatorAsync();
        Api.Dispose();
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private async Task<T> UntilAsync<T>(string name, Func<T, bool> until, string? @namespace = null)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        T? last = null;
        await WaitAsync(
            async () => (last = await Api.GetAsync<T>(new(@namespace ?? Namespace, name), Cancellation)) is not null && until(last),
            () => last is null ? $"there is no {typeof(T).Name} {name}" : $"what was waited for did not come; now there is:\n{KubeJson.Serialize(last)}");
        return last!;
    }

    private static async Task UnlessThereAsync(Task creation)
    {
        try
        {
            await creation;
        }
        catch (KubeException there) when (there.IsAlreadyExists)
        {
        }
    }

    private Task DefineAsync() => Kinds.ApplyAsync(Api, Cancellation);
}
