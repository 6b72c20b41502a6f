using System.Text.Json.Nodes;
using Flotta.EdgeApi;
using Flotta.Kube;
using Flotta.Resources;
using k8s.Models;

namespace Flotta.Tests.EdgeApi;

/// <summary>What heartbeats leave behind on the API server, and what they do not.</summary>
public sealed class HeartbeatTests(EdgeWorld world) : IClassFixture<EdgeWorld>
{
    [Theory]
    [InlineData("08-heartbeat-first-full-hardware-200.json")]
    [InlineData("09-heartbeat-next-mutable-hardware-200.json")]
    public async Task What_the_original_agent_says_is_accepted(string capture)
    {
        var (id, client) = await world.DeviceAsync();
        using var response = await client.PostAsync(id, "data", Wire.Captures.Body(capture, "request"));
        ((int)response.StatusCode).ShouldBe(200);
        (response.Content.Headers.ContentType!.MediaType, response.Content.Headers.ContentLength).ShouldBe(("application/json", 0));
        var device = (await world.FindAsync(id))!;
        device.Status!.Hardware!.Hostname.ShouldBe("vm");
        device.Metadata.Labels["device.hostname"].ShouldBe("vm");
        client.Dispose();
    }

    [Fact]
    public async Task A_fact_of_a_list_that_says_nothing_costs_none_of_the_others()
    {
        var (id, client) = await world.DeviceAsync();
        JsonArray Words() => ["", "one", "", "two"];
        await client.BeatAsync(id, new JsonObject
        {
            ["status"] = "up",
            ["hardware"] = new JsonObject
            {
                ["hostname"] = "vm",
                ["cpu"] = new JsonObject { ["flags"] = Words() },
                ["interfaces"] = new JsonArray(new JsonObject { ["flags"] = Words(), ["ipv4_addresses"] = Words(), ["ipv6_addresses"] = Words() }),
            },
        }).Empty(200);
        var hardware = (await world.FindAsync(id))!.Status!.Hardware!;
        var stored = hardware.Interfaces.ShouldHaveSingleItem();
        foreach (var list in new[] { hardware.Cpu!.Flags, stored.Flags, stored.Ipv4Addresses, stored.Ipv6Addresses })
            list.ShouldBe(["one", "two"]);
        client.Dispose();
    }

    [Fact]
    public async Task A_heartbeat_that_changes_nothing_writes_nothing()
    {
        var (id, client) = await world.DeviceAsync();
        var body = Wire.Captures.Body("08-heartbeat-first-full-hardware-200.json", "request");
        (await client.PostAsync(id, "data", body).Status()).ShouldBe(200);
        var version = (await world.FindAsync(id))!.Metadata.ResourceVersion;
        for (var beat = 0; beat < 20; beat++)
            (await client.PostAsync(id, "data", body).Status()).ShouldBe(200);
        (await world.FindAsync(id))!.Metadata.ResourceVersion.ShouldBe(version);
        client.Dispose();
    }

    [Fact]
    public async Task A_change_is_stored_before_the_answer()
    {
        var (id, client) = await world.DeviceAsync();
        for (var beat = 0; beat < 5; beat++)
        {
            await client.BeatAsync(id, new JsonObject { ["status"] = "up", ["version"] = $"v{beat}" }).Empty(200);
            (await world.FindAsync(id))!.Status!.LastSyncedResourceVersion.ShouldBe($"v{beat}");
        }

        client.Dispose();
    }

    [Fact]
    public async Task Entries_that_the_Operator_writes_meanwhile_are_never_lost()
    {
        var (id, client) = await world.DeviceAsync();
        var key = new ObjectKey("default", id);
        var operating = Task.Run(async () =>
        {
            for (var entry = 0; entry < 30; entry++)
            {
                while (true)
                {
                    var device = (await world.Kube.GetAsync<EdgeDevice>(key, default))!;
                    var entries = new JsonArray();
                    foreach (var workload in device.Status!.Workloads ?? [])
                        entries.Add(KubeJson.Node(workload));
                    entries.Add(new JsonObject { ["name"] = $"w{entry}", ["phase"] = "Deploying" });
                    try
                    {
                        await world.Kube.MergePatchStatusAsync<EdgeDevice>(
                            key,
                            new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = device.Metadata.ResourceVersion }, ["status"] = new JsonObject { ["workloads"] = entries } },
                            default);
                        break;
                    }
                    catch (KubeException conflict) when (conflict.IsConflict)
                    {
                        // We were first this time.
                    }
                }
            }
        });
        var beat = 0;
        while (!operating.IsCompleted || beat < 30)
        {
            var workloads = new JsonArray(Enumerable.Range(0, 30).Select(entry => (JsonNode)new JsonObject { ["name"] = $"w{entry}", ["status"] = beat % 2 == 0 ? "Running" : "Exited" }).ToArray());
            (await client.BeatAsync(id, new JsonObject { ["version"] = $"v{beat++}", ["workloads"] = workloads }).Status()).ShouldBe(200);
        }

        await operating;
        (await world.FindAsync(id))!.Status!.Workloads!.Select(workload => workload.Name).Order(StringComparer.Ordinal)
            .ShouldBe(Enumerable.Range(0, 30).Select(entry => $"w{entry}").Order(StringComparer.Ordinal));
        client.Dispose();
    }

    [Fact]
    public async Task Events_of_the_device_are_events_of_its_object_before_the_answer()
    {
        var (id, client) = await world.DeviceAsync();
        var content = () => new JsonObject
        {
            ["status"] = "up",
            ["events"] = new JsonArray(
                new JsonObject { ["reason"] = "Failed", ["message"] = "no image", ["type"] = "warn" },
                new JsonObject { ["reason"] = "Started", ["message"] = "runs", ["type"] = "info" },
                new JsonObject { ["reason"] = "Failed", ["message"] = "no image", ["type"] = "warn" }),
        };
        await client.SendAsync(id, "heartbeat", content(), "first").Empty(200);
        (await EventsAsync(id)).ShouldBe([("Failed", "Warning", "no image", 2), ("Started", "Normal", "runs", 1)], ignoreOrder: true);
        // The same message again, because its answer was lost; and then the same events once more.
        await client.SendAsync(id, "heartbeat", content(), "first").Empty(200);
        (await EventsAsync(id)).Sum(found => found.Count).ShouldBe(3);
        await client.SendAsync(id, "heartbeat", content(), "second").Empty(200);
        (await EventsAsync(id)).ShouldBe([("Failed", "Warning", "no image", 4), ("Started", "Normal", "runs", 2)], ignoreOrder: true);
        client.Dispose();
    }

    [Fact]
    public async Task A_device_that_falls_silent_is_told_so_and_comes_back()
    {
        var (id, client) = await world.DeviceAsync(spec: spec => spec with { Heartbeat = new HeartbeatSettings { PeriodSeconds = 1 } });
        await client.BeatAsync(id, new JsonObject { ["status"] = "up" }).Empty(200);
        (await ConnectedAsync(id)).ShouldBe("True");
        await Eventually.True(async () => await ConnectedAsync(id) == "False");
        await client.GetAsync(id, "control").Empty(200);
        await Eventually.True(async () => await ConnectedAsync(id) == "True");
        client.Dispose();
    }

    [Fact]
    public async Task The_replica_holds_its_lease()
    {
        await Eventually.True(async () => (await world.Kube.GetAsync<V1Lease>(new ObjectKey("flotta", "flotta-edge-api-test"), default))?.Spec?.HolderIdentity == "test");
    }

    [Fact]
    public async Task Playbooks_are_delivered_until_they_have_ended()
    {
        var (id, client) = await world.DeviceAsync(device => device.Metadata.Labels = new Dictionary<string, string> { ["config/device-by-config"] = "setup" });
        for (var index = 0; index < 2; index++)
        {
            await world.Kube.CreateAsync(
                new PlaybookExecution
                {
                    Metadata = new V1ObjectMeta
                    {
                        Name = $"{id}-setup-{index}",
                        NamespaceProperty = "default",
                        Labels = new Dictionary<string, string> { ["flotta/device"] = id, ["flotta/config"] = "setup" },
                        Annotations = new Dictionary<string, string> { ["flotta/index"] = $"{index}", ["flotta/user"] = "root" },
                    },
                    Spec = new PlaybookExecutionSpec { Playbook = new Playbook { Content = "- hosts: <all>"u8.ToArray(), TimeoutSeconds = 30, AnsibleOptions = new AnsibleOptions { Check = true } } },
                },
                default);
        }

        await Eventually.True(async () => (await TasksAsync(client, id)).Count == 2);
        var tasks = await TasksAsync(client, id);
        tasks[0]!["ansible_playbook_string"]!.GetValue<string>().ShouldBe("- hosts: <all>");
        tasks.Select(task => task!["name"]!.GetValue<string>()).ShouldBe([$"{id}-setup-0", $"{id}-setup-1"]);
        tasks[0]!["options"]!.ToJsonString().ShouldBe("""{"user":"root","timeout_seconds":30,"check":true}""");
        tasks[0]!["last_data_upload"]!.GetValue<string>().ShouldBe("0001-01-01T00:00:00.000Z");
        tasks.Select(task => (task!["config"]!.GetValue<string>(), task["index"]!.GetValue<int>())).ShouldBe([("setup", 0), ("setup", 1)]);
        var uids = tasks.Select(task => task!["uid"]!.GetValue<string>()).ToList();
        await Eventually.True(async () => (await ListedAsync(client, id)).SequenceEqual(uids));
        // What is said of an earlier one of that name is not said of this one.
        await client.BeatAsync(id, new JsonObject { ["playbook-executions"] = new JsonArray(new JsonObject { ["name"] = $"{id}-setup-1", ["uid"] = "another", ["status"] = "CompletedWithError" }) }).Empty(200);
        (await TasksAsync(client, id)).Count.ShouldBe(2);

        await client.BeatAsync(id, new JsonObject { ["playbook-executions"] = new JsonArray(new JsonObject { ["name"] = $"{id}-setup-1", ["uid"] = uids[1], ["status"] = "SuccessfullyCompleted", ["message"] = "ok=1" }) }).Empty(200);
        (await world.Kube.GetAsync<PlaybookExecution>(new ObjectKey("default", $"{id}-setup-1"), default))!.Status!.Conditions!.Single().Message.ShouldBe("ok=1");
        await Eventually.True(async () => (await TasksAsync(client, id)).Count == 1);
        // By the only name that the original has for it.
        await client.BeatAsync(id, new JsonObject { ["playbook-executions"] = new JsonArray(new JsonObject { ["name"] = $"{id}-setup", ["status"] = "CompletedWithError" }) }).Empty(200);
        await Eventually.True(async () => (await TasksAsync(client, id)).Count == 0);
        await Eventually.True(async () => (await ListedAsync(client, id)).Count == 0);
        (await world.Kube.GetAsync<PlaybookExecution>(new ObjectKey("default", $"{id}-setup-0"), default))!.HasFailed().ShouldBeTrue();

        // One that the original made.
        await world.Kube.CreateAsync(
            new PlaybookExecution { Metadata = new V1ObjectMeta { Name = $"{id}-setup", NamespaceProperty = "default" }, Spec = new PlaybookExecutionSpec { Playbook = new Playbook { Content = "x"u8.ToArray() } } }, default);
        await Eventually.True(async () => (await TasksAsync(client, id)).Count == 1);
        client.Dispose();
    }

    /// <summary>Which playbooks the configuration names: the device asks when there are any.</summary>
    private static async Task<List<string>> ListedAsync(EdgeClient client, string id)
    {
        using var answer = await client.GetAsync(id, "data");
        var manager = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["content"]!["configuration"]!["ansible-manager"];
        return [.. manager?["executions"]!.AsArray().Select(uid => uid!.GetValue<string>()) ?? []];
    }

    private static async Task<JsonArray> TasksAsync(EdgeClient client, string id) =>
        JsonNode.Parse((await client.SendAsync(id, "ansible", null).Json())["content"]!.GetValue<string>())!.AsArray();

    private async Task<string?> ConnectedAsync(string id) => Conditions.Find((await world.FindAsync(id))!.Status!.Conditions, "Connected")?.Status;

    private async Task<List<(string Reason, string Type, string Message, int Count)>> EventsAsync(string id) =>
    [
        .. (await world.Kube.ListAsync<Corev1Event>("default", default))
            .Where(found => found.InvolvedObject.Name == id)
            .Select(found => (found.Reason, found.Type, found.Message, found.Count ?? 0)),
    ];
}
