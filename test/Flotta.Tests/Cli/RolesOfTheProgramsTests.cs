using System.Net;
using Flotta.ApiServer;
using Flotta.Cli;
using Flotta.Kube;
using Flotta.Resources;
using Flotta.Tests.Operator.Scenarios;
using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.Cli;

/// <summary>The identities that `flotta up` gives its Operator and its Edge API can do what they need, and nothing else.</summary>
public sealed class RolesOfTheProgramsTests : IAsyncLifetime
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("flotta-roles-");
    private EmbeddedApiServer server = null!;

    public async ValueTask InitializeAsync()
    {
        server = await EmbeddedApiServer.StartAsync(new() { DataDirectory = folder.FullName, Port = 0 }, NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None);
        using var installer = KubeApi.Connect(TestCluster.Configuration(server.Kubeconfig("installer", "system:masters")), TimeProvider.System);
        await Installation.ApplyAsync(installer, CancellationToken.None);
        // As at a second start.
        await Installation.ApplyAsync(installer, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task The_Edge_API_gives_nobody_rights_and_writes_no_secret_that_is_not_its_own()
    {
        using var edge = Account(AccessManifests.EdgeApiAccount);
        await RefusedAsync(() => edge.ApplyAsync<V1ClusterRole>(
            new("", "mine"), """{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","rules":[]}""", "mine", Cancellation));
        await RefusedAsync(() => edge.CreateAsync(Secret("default"), Cancellation));
        await RefusedAsync(() => edge.DeleteAsync<EdgeDevice>(new("default", "d"), Cancellation));
        await RefusedAsync(() => edge.ListAsync<V1Namespace>(null, Cancellation));
        await edge.CreateAsync(Secret("flotta"), Cancellation);
        (await edge.ListAsync<EdgeDevice>(null, Cancellation)).ShouldNotBeNull();
    }

    [Fact]
    public async Task The_Operator_reads_no_secrets_at_all()
    {
        using var theOperator = Account(AccessManifests.OperatorAccount);
        await RefusedAsync(() => theOperator.ListAsync<V1Secret>("flotta", Cancellation));
        await RefusedAsync(() => theOperator.ListAsync<V1ConfigMap>(null, Cancellation));
        await RefusedAsync(() => theOperator.CreateAsync(Secret("default"), Cancellation));
        (await theOperator.ListAsync<EdgeWorkload>(null, Cancellation)).ShouldNotBeNull();
    }

    [Fact]
    public async Task Who_has_the_role_edit_in_a_namespace_works_with_devices_there_and_lets_none_in()
    {
        using var admin = KubeApi.Connect(TestCluster.Configuration(server.Kubeconfig("installer", "system:masters")), TimeProvider.System);
        await admin.ApplyAsync<V1RoleBinding>(
            new("default", "dev"),
            """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
            subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: dev}]
            """,
            "test", Cancellation);
        using var alice = KubeApi.Connect(TestCluster.Configuration(server.Kubeconfig("alice", "dev")), TimeProvider.System);
        await Eventually.True(async () => await IsAllowedAsync(() => alice.ListAsync<EdgeDeviceSignedRequest>("default", Cancellation)));
        await alice.CreateAsync(new EdgeDevice { Metadata = new() { Name = "till", NamespaceProperty = "default" } }, Cancellation);
        await RefusedAsync(() => alice.DeleteAsync<EdgeDeviceSignedRequest>(new("default", "till"), Cancellation));
        await RefusedAsync(() => alice.ListAsync<EdgeDevice>("flotta", Cancellation));
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private KubeApi Account(string name) => KubeApi.Connect(new InProcessAccess(server.Address, server.AccountHandler(AccessManifests.Namespace, name)), TimeProvider.System);

    private static V1Secret Secret(string within) => new() { ApiVersion = "v1", Kind = "Secret", Metadata = new() { Name = "s", NamespaceProperty = within } };

    private static async Task RefusedAsync(Func<Task> deed) => (await Should.ThrowAsync<KubeException>(deed)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);

    private static async Task<bool> IsAllowedAsync(Func<Task> deed)
    {
        try
        {
            await deed();
            return true;
        }
        catch (KubeException refused) when (refused.StatusCode == HttpStatusCode.Forbidden)
        {
            return false;
        }
    }
}
