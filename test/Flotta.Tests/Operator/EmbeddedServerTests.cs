using Flotta.ApiServer;
using Flotta.ApiServer.Access.Rights;
using Flotta.Tests.Operator.Scenarios;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.Operator;

/// <summary>One embedded API server for the tests of a class.</summary>
public sealed class EmbeddedServer : ITestServer, IAsyncLifetime
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("flotta-operator-");
    private EmbeddedApiServer? server;

    public string Kubeconfig => server!.Kubeconfig("admin", "system:masters");

    public string OperatorKubeconfig => server!.Kubeconfig(AccountName.UserOf("flotta", "flotta-controller-manager"), [.. AccountName.GroupsOf("flotta")]);

    // The Operator has the rights that deploy/kubernetes gives it, and no others.
    public async ValueTask InitializeAsync()
    {
        server = await EmbeddedApiServer.StartAsync(new() { DataDirectory = folder.FullName, Port = 0 }, NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None);
        await EmbeddedAccess.GrantAsync(Kubeconfig);
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
        folder.Delete(recursive: true);
    }
}

public sealed class EnrolmentOnTheEmbeddedServerTests(EmbeddedServer server) : EnrolmentScenarios(server), IClassFixture<EmbeddedServer>;

public sealed class DevicesOnTheEmbeddedServerTests(EmbeddedServer server) : DeviceScenarios(server), IClassFixture<EmbeddedServer>;

public sealed class SettingsOnTheEmbeddedServerTests(EmbeddedServer server) : SettingsScenarios(server), IClassFixture<EmbeddedServer>;

public sealed class WorkloadsOnTheEmbeddedServerTests(EmbeddedServer server) : WorkloadScenarios(server), IClassFixture<EmbeddedServer>;

public sealed class SamplesOnTheEmbeddedServerTests(EmbeddedServer server) : SampleScenarios(server), IClassFixture<EmbeddedServer>;

public sealed class LeadershipOnTheEmbeddedServerTests(EmbeddedServer server) : LeadershipScenarios(server), IClassFixture<EmbeddedServer>;
