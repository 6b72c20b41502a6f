using System.Text.Json.Nodes;
using Flotta.Cli;
using Flotta.Cli.Moving;
using Flotta.Kube;
using static Flotta.Tests.Cli.Moving.MovingWorld;

namespace Flotta.Tests.Cli.Moving;

/// <summary>Real API servers on both sides.</summary>
public sealed class MoveTests : IAsyncLifetime
{
    private static readonly MovedKind Sets = MovedKind.Flotta.Single(kind => kind.Name == "edgedevicesets");
    private static readonly MovedKind Configs = MovedKind.Flotta.Single(kind => kind.Name == "edgeconfigs");
    private static readonly MovedKind Executions = MovedKind.Flotta.Single(kind => kind.Name == "playbookexecutions");
    private static readonly MovedKind Workloads = MovedKind.Flotta.Single(kind => kind.Name == "edgeworkloads");

    private MovingWorld world = null!;

    public async ValueTask InitializeAsync()
    {
        world = await MovingWorld.StartAsync();
        await FurnishAsync(world.From);
    }

    public ValueTask DisposeAsync() => world.DisposeAsync();

    [Fact]
    public async Task Everything_arrives_as_it_was()
    {
        (await world.MoveAsync()).ShouldBeTrue(world.Output.ToString());

        var device = await ReadAsync(world.To, MovedKind.Devices, "shop", "till");
        Text(device["status"]!["certificate"]!["serial"]).ShouldBe("4711");
        Text(device["status"]!["lastSyncedResourceVersion"]).ShouldBe("v1");
        Text(device["metadata"]!["annotations"]!["flotta/revoked"]).ShouldBe("true");
        Text(device["metadata"]!["labels"]!["device.hostname"]).ShouldBe("till");
        device["metadata"]!["finalizers"]!.AsArray().Select(Text).ShouldBe(["device-finalizer"]);
        device["status"]!["conditions"]![0]!["observedGeneration"]!.GetValue<long>().ShouldBe(device["metadata"]!["generation"]!.GetValue<long>());

        var owner = (await ReadAsync(world.To, Executions, "shop", "run"))["metadata"]!["ownerReferences"]![0]!;
        Text(owner["uid"]).ShouldBe(Text((await ReadAsync(world.To, Configs, "shop", "setup"))["metadata"]!["uid"]));
        Text(owner["uid"]).ShouldNotBe(Text((await ReadAsync(world.From, Configs, "shop", "setup"))["metadata"]!["uid"]));

        Text((await ReadAsync(world.To, MovedKind.Devices, "shop", "leaving"))["metadata"]!["deletionTimestamp"]).ShouldNotBeEmpty();
        Text((await ReadAsync(world.To, MovedKind.Secrets, "flotta", "flotta-ca"))["data"]!["ca.key"]).ShouldBe("a2V5");
        Text((await ReadAsync(world.To, MovedKind.ConfigMaps, "shop", "greeting"))["data"]!["empty"]).ShouldBe("");
        Text((await ReadAsync(world.To, MovedKind.RoleBindings, "shop", "dev"))["roleRef"]!["name"]).ShouldBe("edit");
        Text((await ReadAsync(world.To, MovedKind.Requests, "default", "till"))["status"]!["conditions"]![0]!["type"]).ShouldBe("approved");
        world.Output.ToString().ShouldContain("edgedevices                     2       2  same");
    }

    [Fact]
    public async Task The_accounts_and_rights_of_the_installation_itself_stay_where_they_are()
    {
        await world.MoveAsync();
        (await world.To.DocumentAsync(MovedKind.ClusterRoles.Resource, new("", "flotta-manager-role"), Cancellation)).ShouldBeNull();
        (await world.To.DocumentAsync(MovedKind.Accounts.Resource, new("flotta", "flotta-edge-api"), Cancellation)).ShouldBeNull();
    }

    [Fact]
    public async Task How_the_Edge_API_of_either_side_is_reached_is_neither_moved_nor_compared()
    {
        await CreateAsync(world.From, MovedKind.ConfigMaps, """{"metadata":{"name":"flotta-edge-api-info","namespace":"flotta"},"data":{"https":"old"}}""");
        await CreateAsync(world.To, MovedKind.ConfigMaps, """{"metadata":{"name":"flotta-edge-api-info","namespace":"flotta"},"data":{"https":"new"}}""");
        (await world.MoveAsync()).ShouldBeTrue(world.Output.ToString());
        Text((await ReadAsync(world.To, MovedKind.ConfigMaps, "flotta", "flotta-edge-api-info"))["data"]!["https"]).ShouldBe("new");
    }

    [Fact]
    public async Task A_run_that_is_killed_after_any_write_is_finished_by_the_next_and_nothing_is_made_twice()
    {
        var uids = new Dictionary<string, string>(StringComparer.Ordinal);
        var done = false;
        var runs = 0;
        for (; !done && runs < 60; runs++)
        {
            using var end = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            using var cut = world.Cut(1, end);
            try
            {
                done = await world.MoveAsync(to: cut, stop: end.Token);
            }
            catch (OperationCanceledException) when (!Cancellation.IsCancellationRequested)
            {
                // killed
            }

            foreach (var kind in MovedKind.Flotta)
            {
                await foreach (var one in world.To.DocumentsAsync(kind.Resource, null, Cancellation))
                {
                    var (name, uid) = ($"{kind} {Document.KeyOf(one)}", Text(one["metadata"]!["uid"]));
                    uids.TryAdd(name, uid);
                    uids[name].ShouldBe(uid, name);
                }
            }
        }

        done.ShouldBeTrue(world.Output.ToString());
        // One write each, so this many runs were cut short.
        runs.ShouldBeGreaterThan(15);
        Text((await ReadAsync(world.To, MovedKind.Devices, "shop", "till"))["status"]!["certificate"]!["serial"]).ShouldBe("4711");
    }

    [Fact]
    public async Task What_somebody_has_changed_or_deleted_there_since_is_named_and_left()
    {
        await world.MoveAsync();
        await world.To.SendDocumentAsync(HttpMethod.Patch, MovedKind.ConfigMaps.Resource.One(new("shop", "greeting")), JsonNode.Parse("""{"data":{"text":"changed"}}"""), Cancellation, "application/merge-patch+json");
        await world.To.SendDocumentAsync(HttpMethod.Delete, Sets.Resource.One(new("shop", "tills")), null, Cancellation);

        (await world.MoveAsync()).ShouldBeFalse();
        var said = world.Output.ToString();
        said.ShouldContain("configmaps shop/greeting was changed there after it had been copied");
        said.ShouldContain("edgedevicesets shop/tills was deleted there after it had been copied");
        Text((await ReadAsync(world.To, MovedKind.ConfigMaps, "shop", "greeting"))["data"]!["text"]).ShouldBe("changed");
        (await world.To.DocumentAsync(Sets.Resource, new("shop", "tills"), Cancellation)).ShouldBeNull();

        (await world.MoveAsync(keep: true)).ShouldBeTrue(world.Output.ToString());
        Text((await ReadAsync(world.To, MovedKind.ConfigMaps, "shop", "greeting"))["data"]!["text"]).ShouldBe("changed");
    }

    [Fact]
    public async Task A_dry_run_says_what_it_would_do_and_does_nothing()
    {
        await CreateAsync(world.To, MovedKind.Namespaces, """{"metadata":{"name":"shop"}}""");
        await CreateAsync(world.To, MovedKind.ConfigMaps, """{"metadata":{"name":"greeting","namespace":"shop"},"data":{"text":"another"}}""");
        (await world.MoveAsync(dryRun: true)).ShouldBeFalse();
        world.Output.ToString().ShouldContain("create edgedevices shop/till");
        world.Output.ToString().ShouldContain("leave configmaps shop/greeting: is another one there");
        (await world.To.DocumentAsync(MovedKind.Devices.Resource, new("shop", "till"), Cancellation)).ShouldBeNull();
        File.Exists(Path.Combine(world.JournalFolder, Journal.ToCluster)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_cluster_with_a_CA_of_its_own_is_refused_before_anything_is_written()
    {
        await CreateAsync(world.To, MovedKind.Secrets, """{"metadata":{"name":"flotta-ca","namespace":"flotta"},"data":{"ca.key":"b3RoZXI="}}""");
        var refusal = await Should.ThrowAsync<FailureException>(() => world.MoveAsync());
        refusal.Message.ShouldContain("kubectl -n flotta delete secret flotta-ca");
        (await world.To.DocumentAsync(MovedKind.Namespaces.Resource, new("", "shop"), Cancellation)).ShouldBeNull();
    }

    [Fact]
    public async Task Of_a_cluster_comes_what_Flotta_needs_and_nothing_of_anybody_else()
    {
        await CreateAsync(world.From, MovedKind.Secrets, """{"metadata":{"name":"payroll","namespace":"shop"},"data":{"x":"eA=="}}""");
        await CreateAsync(world.From, MovedKind.Namespaces, """{"metadata":{"name":"accounting"}}""");
        await CreateAsync(world.From, MovedKind.ClusterRoles, """{"metadata":{"name":"auditors"},"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}]}""");
        await CreateAsync(world.From, MovedKind.ClusterRoles, """{"metadata":{"name":"fleet-keepers"},"rules":[{"apiGroups":["management.project-flotta.io"],"resources":["edgedevices"],"verbs":["get"]}]}""");
        (await world.MoveAsync(everything: false)).ShouldBeTrue(world.Output.ToString());
        (await world.To.DocumentAsync(MovedKind.Secrets.Resource, new("shop", "payroll"), Cancellation)).ShouldBeNull();
        (await world.To.DocumentAsync(MovedKind.Namespaces.Resource, new("", "accounting"), Cancellation)).ShouldBeNull();
        (await world.To.DocumentAsync(MovedKind.ClusterRoles.Resource, new("", "auditors"), Cancellation)).ShouldBeNull();
        await ReadAsync(world.To, MovedKind.ClusterRoles, "", "fleet-keepers");
        await ReadAsync(world.To, MovedKind.Secrets, "shop", "password");
        await ReadAsync(world.To, MovedKind.ConfigMaps, "shop", "greeting");
        await ReadAsync(world.To, MovedKind.Secrets, "flotta", "reg-client-ca-1");
    }

    private static async Task FurnishAsync(KubeApi api)
    {
        await CreateAsync(api, MovedKind.Namespaces, """{"metadata":{"name":"shop"}}""");
        await CreateAsync(api, MovedKind.Secrets, """{"metadata":{"name":"flotta-ca","namespace":"flotta"},"data":{"ca.crt":"Y2E=","ca.key":"a2V5"}}""");
        await CreateAsync(api, MovedKind.Secrets, """{"metadata":{"name":"flotta-host-certificate","namespace":"flotta"},"data":{"server.crt":"Y2E="}}""");
        await CreateAsync(api, MovedKind.Secrets, """{"metadata":{"name":"reg-client-ca-1","namespace":"flotta","labels":{"reg-client-ca":"true"}},"data":{"client.crt":"Y2E="}}""");
        await CreateAsync(api, MovedKind.Secrets, """{"metadata":{"name":"password","namespace":"shop"},"data":{"p":"cA=="}}""");
        await CreateAsync(api, MovedKind.ConfigMaps, """{"metadata":{"name":"greeting","namespace":"shop"},"data":{"text":"hello","empty":""}}""");
        await CreateAsync(api, MovedKind.RoleBindings, """{"metadata":{"name":"dev","namespace":"shop"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"edit"},"subjects":[{"kind":"Group","name":"dev"}]}""");
        await CreateAsync(api, Sets, """{"metadata":{"name":"tills","namespace":"shop"},"spec":{"heartbeat":{"periodSeconds":30}}}""");
        var config = await CreateAsync(api, Configs, """{"metadata":{"name":"setup","namespace":"shop"},"spec":{"edgePlaybook":{"playbooks":[{"content":"LQ=="}]}}}""");
        await CreateAsync(api, Executions, """{"metadata":{"name":"run","namespace":"shop","ownerReferences":[{"apiVersion":"management.project-flotta.io/v1alpha1","kind":"EdgeConfig","name":"setup","uid":"UID"}]},"spec":{"playbook":{"content":"LQ=="}}}"""
            .Replace("UID", Text(config["metadata"]!["uid"]), StringComparison.Ordinal));
        await CreateAsync(api, MovedKind.Devices, """{"metadata":{"name":"till","namespace":"shop","finalizers":["device-finalizer"],"labels":{"device.hostname":"till"},"annotations":{"flotta/revoked":"true"}},"spec":{"heartbeat":{"periodSeconds":60}}}""");
        var changed = await api.SendDocumentAsync(HttpMethod.Patch, MovedKind.Devices.Resource.One(new("shop", "till")), JsonNode.Parse("""{"spec":{"heartbeat":{"periodSeconds":61}}}"""), Cancellation, "application/merge-patch+json");
        await StatusAsync(
            api, MovedKind.Devices, "shop", "till",
            """{"lastSyncedResourceVersion":"v1","certificate":{"serial":"4711"},"conditions":[{"type":"UpToDate","status":"True","observedGeneration":SEEN}]}"""
                .Replace("SEEN", changed["metadata"]!["generation"]!.ToJsonString(), StringComparison.Ordinal));
        await CreateAsync(api, MovedKind.Devices, """{"metadata":{"name":"leaving","namespace":"shop","finalizers":["device-finalizer"]},"spec":{}}""");
        await api.SendDocumentAsync(HttpMethod.Delete, MovedKind.Devices.Resource.One(new("shop", "leaving")), null, Cancellation);
        await CreateAsync(api, MovedKind.Requests, """{"metadata":{"name":"till","namespace":"default"},"spec":{"targetNamespace":"shop","approved":true}}""");
        await StatusAsync(api, MovedKind.Requests, "default", "till", """{"conditions":[{"type":"approved","status":"True"}]}""");
        await CreateAsync(api, Workloads, """{"metadata":{"name":"web","namespace":"shop"},"spec":{"type":"pod","device":"till","pod":{"spec":{"containers":[{"name":"c","image":"i","envFrom":[{"secretRef":{"name":"password"}},{"configMapRef":{"name":"greeting"}}]}]}}}}""");
    }

    private static string Text(JsonNode? node) => Document.Text(node);
}
