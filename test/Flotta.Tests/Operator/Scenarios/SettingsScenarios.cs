using Flotta.Kube;
using Flotta.Resources;
using k8s.Models;

namespace Flotta.Tests.Operator.Scenarios;

/// <summary>Sets that count, configs that run, buckets that are asked for.</summary>
public abstract class SettingsScenarios(ITestServer server)
{
    [Fact]
    public async Task A_set_counts_its_members_and_says_who_is_behind()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        await cluster.Api.CreateAsync(new EdgeDeviceSet { Metadata = new() { Name = "shop", NamespaceProperty = cluster.Namespace } }, Cancellation);
        await SetAsync(cluster, set => set.Status?.Devices == 0);
        foreach (var name in new[] { "one", "two", "three" }) await cluster.CreateDeviceAsync(name, ("flotta/member-of", "shop"));
        await cluster.CreateDeviceAsync("elsewhere", ("flotta/member-of", "other"));
        await ReportAsync(cluster, "one", "True", "fine");
        await ReportAsync(cluster, "two", "False", "secret s does not exist");
        var status = (await SetAsync(cluster, set => set.Status is { Devices: 3, UpToDate: 1, Connected: 2 })).Status!;
        var condition = Conditions.Find(status.Conditions, "UpToDate")!;
        condition.Status.ShouldBe("False");
        condition.Message.ShouldBe("three: not connected; two: secret s does not exist");
        await ReportAsync(cluster, "two", "True", "fine");
        await ReportAsync(cluster, "three", "True", "fine");
        await SetAsync(cluster, set => set.Status is { UpToDate: 3 } && Conditions.Find(set.Status.Conditions, "UpToDate")?.Status == "True");
        await cluster.PatchAsync<EdgeDevice>("three", """{"metadata":{"labels":{"flotta/member-of":null}}}""");
        await SetAsync(cluster, set => set.Status is { Devices: 2, UpToDate: 2 });
    }

    [Fact]
    public async Task A_config_runs_on_every_device_that_has_its_label_whichever_came_first()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        await cluster.CreateDeviceAsync("before", ("config/device-by-config", "setup"));
        await cluster.Api.CreateAsync(Config(cluster, "one", "two"), Cancellation);
        await cluster.CreateDeviceAsync("after", ("config/device-by-config", "setup"));
        foreach (var name in new[] { "before", "after" })
        {
            var device = await cluster.DeviceAsync(name, device => device.Status?.PlaybookExec?.Count == 2);
            device.Status!.PlaybookExec!.Select(entry => entry.Name).ShouldBe([$"{name}-setup-0", $"{name}-setup-1"]);
        }

        await ConfigAsync(cluster, config => Completed(config) is { Status: "False", Message: "0 of 2 devices have ended" });
        foreach (var name in new[] { "before", "after" })
        {
            for (var index = 0; index < 2; index++)
            {
                await EndAsync(cluster, $"{name}-setup-{index}", name == "after" && index == 1 ? "CompletedWithError" : "SuccessfullyCompleted");
            }
        }

        await cluster.DeviceAsync("before", device => device.Metadata.Labels?.ContainsKey("config/device-by-config") != true);
        await ConfigAsync(cluster, config => Completed(config) is { Status: "True", Reason: "WithErrors", Message: "2 of 2 devices have ended, 1 of them with an error" });

        // Once more.
        await cluster.PatchAsync<EdgeDevice>("before", """{"metadata":{"labels":{"config/device-by-config":"setup"}}}""");
        await cluster.DeviceAsync("before", device => device.Status?.PlaybookExec?.FirstOrDefault()?.Name == "before-setup-0-r1");
        await cluster.GoneAsync<PlaybookExecution>("before-setup-0");

        await cluster.Api.DeleteAsync<EdgeConfig>(new(cluster.Namespace, "setup"), Cancellation);
        await cluster.GoneAsync<PlaybookExecution>("before-setup-0-r1");
        await cluster.GoneAsync<PlaybookExecution>("after-setup-1");
        await cluster.DeviceAsync("before", device => device.Status?.PlaybookExec is not { Count: > 0 });
    }

    [Fact]
    public async Task A_devices_playbooks_go_with_it()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        await cluster.Api.CreateAsync(Config(cluster, "one"), Cancellation);
        await cluster.CreateDeviceAsync("leaving", ("config/device-by-config", "setup"));
        await cluster.DeviceAsync("leaving", device => device.Status?.PlaybookExec?.Count == 1);
        await cluster.Api.DeleteAsync<EdgeDevice>(new(cluster.Namespace, "leaving"), Cancellation);
        await cluster.GoneAsync<PlaybookExecution>("leaving-setup-0");
    }

    [Fact]
    public async Task Two_devices_whose_playbooks_would_have_one_name_both_get_theirs()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        await cluster.Api.CreateAsync(Config(cluster, "one"), Cancellation);
        await cluster.Api.CreateAsync(Config(cluster, "two") with { Metadata = new() { Name = "cam-setup", NamespaceProperty = cluster.Namespace } }, Cancellation);
        await cluster.CreateDeviceAsync("store-1", ("config/device-by-config", "cam-setup"));
        await cluster.CreateDeviceAsync("store-1-cam", ("config/device-by-config", "setup"));
        var names = new List<string>();
        foreach (var (device, content) in new[] { ("store-1", "two"), ("store-1-cam", "one") })
        {
            PlaybookExecution? own = null;
            await TestCluster.WaitAsync(
                async () => (await cluster.Api.GetAsync<EdgeDevice>(new(cluster.Namespace, device), Cancellation))?.Status?.PlaybookExec is [var entry]
                    && (own = await cluster.Api.GetAsync<PlaybookExecution>(new(cluster.Namespace, entry.Name), Cancellation))?.Metadata.Labels["flotta/device"] == device,
                () => $"{device} has no playbook of its own");
            System.Text.Encoding.UTF8.GetString(own!.Spec.Playbook!.Content).ShouldBe(content);
            names.Add(own.Metadata.Name);
        }

        names.Order(StringComparer.Ordinal).First().ShouldBe("store-1-cam-setup-0");
        names.Distinct().Count().ShouldBe(2);
    }

    [Fact]
    public async Task A_bucket_is_asked_for_where_the_device_or_its_set_wants_one()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        await cluster.Api.ApplyAsync<V1CustomResourceDefinition>(new("", "objectbucketclaims.objectbucket.io"), Buckets, "test", Cancellation);
        await TestCluster.WaitAsync(
            async () =>
            {
                try
                {
                    await cluster.Api.ListAsync<ObjectBucketClaim>(null, Cancellation);
                    return true;
                }
                catch (KubeException)
                {
                    return false;
                }
            },
            () => "the definition was not established");
        await cluster.Api.CreateAsync(
            new EdgeDeviceSet { Metadata = new() { Name = "shop", NamespaceProperty = cluster.Namespace }, Spec = new() { Storage = new() { S3 = new() { CreateObc = true } } } }, Cancellation);
        await cluster.CreateDeviceAsync("plain");
        await cluster.CreateDeviceAsync("member", ("flotta/member-of", "shop"));
        await cluster.DeviceAsync("member", device => device.Status?.DataObc == "member");
        var claim = (await cluster.Api.GetAsync<ObjectBucketClaim>(new(cluster.Namespace, "member"), Cancellation)).ShouldNotBeNull();
        claim.Spec.ShouldBe(new ObjectBucketClaimSpec { GenerateBucketName = "member", StorageClassName = "openshift-storage.noobaa.io" });
        claim.Metadata.OwnerReferences.ShouldHaveSingleItem().Kind.ShouldBe("EdgeDevice");
        (await cluster.DeviceAsync("plain", _ => true)).Status?.DataObc.ShouldBeNull();
        await cluster.PatchAsync<EdgeDevice>("plain", """{"spec":{"storage":{"s3":{"createOBC":true}}}}""");
        await cluster.DeviceAsync("plain", device => device.Status?.DataObc == "plain");
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static Task ReportAsync(TestCluster cluster, string device, string upToDate, string message) => cluster.PatchStatusAsync<EdgeDevice>(device, $$$"""
        {"status":{"conditions":[{"type":"Connected","status":"True"},{"type":"UpToDate","status":"{{{upToDate}}}","message":"{{{message}}}"}]}}
        """);

    private static Task EndAsync(TestCluster cluster, string playbook, string how) =>
        cluster.PatchStatusAsync<PlaybookExecution>(playbook, $$$"""{"status":{"conditions":[{"type":"{{{how}}}","status":"True"}]}}""");

    private static PlaybookCondition? Completed(EdgeConfig config) => config.Status?.EdgePlaybookStatus?.Conditions?.FirstOrDefault(condition => condition.Type == "Completed");

    private static Task<EdgeDeviceSet> SetAsync(TestCluster cluster, Func<EdgeDeviceSet, bool> until) => UntilAsync(cluster, "shop", until);

    private static Task<EdgeConfig> ConfigAsync(TestCluster cluster, Func<EdgeConfig, bool> until) => UntilAsync(cluster, "setup", until);

    private static async Task<T> UntilAsync<T>(TestCluster cluster, string name, Func<T, bool> until)
        where T : class
    {
        T? last = null;
        await TestCluster.WaitAsync(
            async () => (last = await cluster.Api.GetAsync<T>(new(cluster.Namespace, name), Cancellation)) is not null && until(last),
            () => $"what was waited for did not come; now there is: {KubeJson.Serialize(last)}");
        return last!;
    }

    private static EdgeConfig Config(TestCluster cluster, params string[] playbooks) => new()
    {
        Metadata = new() { Name = "setup", NamespaceProperty = cluster.Namespace },
        Spec = new() { EdgePlaybook = new() { Playbooks = [.. playbooks.Select(text => new Playbook { Content = System.Text.Encoding.UTF8.GetBytes(text) })] } },
    };

    private const string Buckets = """
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata:
          name: objectbucketclaims.objectbucket.io
        spec:
          group: objectbucket.io
          names: {kind: ObjectBucketClaim, listKind: ObjectBucketClaimList, plural: objectbucketclaims, singular: objectbucketclaim}
          scope: Namespaced
          versions:
            - name: v1alpha1
              served: true
              storage: true
              schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
        """;
}
