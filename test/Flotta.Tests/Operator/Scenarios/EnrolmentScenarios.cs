using Flotta.Operator;
using Flotta.Resources;

namespace Flotta.Tests.Operator.Scenarios;

/// <summary>How devices are let in, on a real API server; each kind of server has a class that derives from this.</summary>
public abstract class EnrolmentScenarios(ITestServer server)
{
    [Fact]
    public async Task A_request_that_nobody_approved_waits_and_says_for_what()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        var name = TestCluster.Unique("device");
        await cluster.CreateRequestAsync(name, key: "SHA256:abc");
        var request = await cluster.RequestAsync(name, request => request.Status is not null);
        var pending = request.Status!.Conditions.ShouldHaveSingleItem();
        pending.Type.ShouldBe("pending");
        pending.Status.ShouldBe("True");
        pending.Message!.ShouldContain("SHA256:abc");
        (await cluster.Api.GetAsync<EdgeDevice>(new(cluster.Namespace, name), TestContext.Current.CancellationToken)).ShouldBeNull();
    }

    [Fact]
    public async Task An_approved_request_becomes_a_device_once()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        var name = TestCluster.Unique("device");
        await cluster.CreateRequestAsync(name, set: "pumps");
        await cluster.RequestAsync(name, request => Is(request, "pending"));
        await cluster.PatchAsync<EdgeDeviceSignedRequest>(name, """{"spec":{"approved":true}}""", "default");
        var approved = await cluster.RequestAsync(name, request => Is(request, "approved"));
        approved.Status!.Conditions.Select(condition => (condition.Type, condition.Status)).ShouldBe([("pending", "False"), ("approved", "True")]);

        var device = await cluster.DeviceAsync(name, _ => true);
        device.Metadata.Labels.ShouldBe(new Dictionary<string, string>(StringComparer.Ordinal) { ["edgedeviceSignedRequest"] = "true", ["flotta/member-of"] = "pumps" }, ignoreOrder: true);
        device.Metadata.Finalizers.ShouldBe(["device-finalizer"]);
        device.Spec.RequestTime.ShouldNotBeNull();

        // A restart looks at everything again, and finds nothing to do.
        await cluster.RestartOperatorAsync();
        var other = TestCluster.Unique("device");
        await cluster.CreateRequestAsync(other);
        await cluster.RequestAsync(other, request => Is(request, "pending"));
        (await cluster.RequestAsync(name, _ => true)).Metadata.ResourceVersion.ShouldBe(approved.Metadata.ResourceVersion);
    }

    [Fact]
    public async Task Automatic_approval_stays_inside_its_namespaces()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        await cluster.RestartOperatorAsync(new OperatorOptions { AutoApproval = true, AutoApprovalNamespaces = [cluster.Namespace] });
        var elsewhere = TestCluster.Unique("elsewhere");
        await cluster.CreateNamespaceAsync(elsewhere);
        var (here, there) = (TestCluster.Unique("here"), TestCluster.Unique("there"));
        await cluster.CreateRequestAsync(here);
        await cluster.CreateRequestAsync(there, elsewhere);
        await cluster.RequestAsync(here, request => request.Spec.Approved == true && Is(request, "approved"));
        (await cluster.RequestAsync(there, request => Is(request, "pending"))).Spec.Approved.ShouldNotBe(true);
    }

    [Fact]
    public async Task A_missing_namespace_is_named_and_waited_for()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        var (name, missing) = (TestCluster.Unique("device"), TestCluster.Unique("missing"));
        await cluster.CreateRequestAsync(name, missing);
        await cluster.PatchAsync<EdgeDeviceSignedRequest>(name, """{"spec":{"approved":true}}""", "default");
        var request = await cluster.RequestAsync(name, request => request.Status?.Conditions.Any(condition => condition.Type == "approved") == true);
        var approved = request.Status!.Conditions.Single(condition => condition.Type == "approved");
        approved.Status.ShouldBe("False");
        approved.Message!.ShouldContain(missing);

        await cluster.CreateNamespaceAsync(missing);
        await cluster.RequestAsync(name, each => Is(each, "approved"));
    }

    [Fact]
    public async Task A_declined_request_is_not_let_in_even_when_approved()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        var name = TestCluster.Unique("device");
        await cluster.CreateRequestAsync(name);
        await cluster.PatchAsync<EdgeDeviceSignedRequest>(name, """{"spec":{"declined":true,"approved":true}}""", "default");
        await cluster.RequestAsync(name, request => Is(request, "declined"));
        (await cluster.Api.GetAsync<EdgeDevice>(new(cluster.Namespace, name), TestContext.Current.CancellationToken)).ShouldBeNull();
    }

    [Fact]
    public async Task A_device_that_is_there_already_is_left_as_it_is()
    {
        await using var cluster = await TestCluster.StartAsync(server);
        var name = TestCluster.Unique("device");
        var device = await cluster.CreateDeviceAsync(name, ("mine", "yes"));
        await cluster.CreateRequestAsync(name);
        await cluster.PatchAsync<EdgeDeviceSignedRequest>(name, """{"spec":{"approved":true}}""", "default");
        await cluster.RequestAsync(name, request => Is(request, "approved"));
        (await cluster.DeviceAsync(name, _ => true)).Metadata.ResourceVersion.ShouldBe(device.Metadata.ResourceVersion);
    }

    private static bool Is(EdgeDeviceSignedRequest request, string type) =>
        request.Status?.Conditions.Where(condition => condition.Status == "True").Select(condition => condition.Type).SingleOrDefault() == type;
}
