using System.Text.Json.Nodes;
using Flotta.ApiServer;
using Flotta.Cli;
using Flotta.Cli.Moving;
using Flotta.Kube;
using Flotta.Tests.ApiServer;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Tests.Cli.Moving;

/// <summary>Two API servers, one with an installation, one empty but for the definitions; and a cable between mover and target that can be cut.</summary>
internal sealed class MovingWorld : IAsyncDisposable
{
    private readonly TemporaryFolder folder = new();

    public static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public EmbeddedApiServer Old { get; private set; } = null!;

    public EmbeddedApiServer New { get; private set; } = null!;

    public KubeApi From { get; private set; } = null!;

    public KubeApi To { get; private set; } = null!;

    public StringWriter Output { get; private set; } = new();

    public string JournalFolder => folder.Path;

    public static async Task<MovingWorld> StartAsync()
    {
        var world = new MovingWorld();
        world.Old = await world.ServeAsync("old");
        world.New = await world.ServeAsync("new");
        world.From = Connect(world.Old);
        world.To = Connect(world.New);
        await Installation.ApplyAsync(world.From, Cancellation);
        await Installation.NamespacesAsync(world.To, Cancellation);
        await Installation.DefineAsync(world.To, Cancellation);
        return world;
    }

    /// <summary>One run, as one process.</summary>
    public async Task<bool> MoveAsync(bool everything = true, bool dryRun = false, bool keep = false, KubeApi? to = null, CancellationToken? stop = null)
    {
        Output = new StringWriter();
        using var journal = Journal.Read(folder.Path, Journal.ToCluster);
        if (!dryRun)
            journal.Begin("to the other");
        return await new Move(From, to ?? To, new(everything, dryRun, keep), journal, Output, _ => { }, TimeProvider.System).RunAsync(stop ?? Cancellation);
    }

    /// <summary>The connection to the new server, over a cable that breaks (with the process on our side) once so many writes have gone through it.</summary>
    public KubeApi Cut(int afterWrites, CancellationTokenSource end) => KubeApi.Connect(RunningApiServer.ConfigurationOf(New), TimeProvider.System, new Cable(afterWrites, end));

    public static Task<JsonObject> CreateAsync(KubeApi api, MovedKind kind, string json)
    {
        var document = JsonNode.Parse(json)!.AsObject();
        document["apiVersion"] = kind.Resource.ApiVersion;
        document["kind"] = kind.Resource.Kind;
        return api.SendDocumentAsync(HttpMethod.Post, kind.Resource.Collection(Document.KeyOf(document).Namespace), document, Cancellation);
    }

    public static Task<JsonObject> StatusAsync(KubeApi api, MovedKind kind, string @namespace, string name, string status) => api.SendDocumentAsync(
        HttpMethod.Patch, kind.Resource.One(new(@namespace, name)) + "/status", new JsonObject { ["status"] = JsonNode.Parse(status) }, Cancellation, "application/merge-patch+json");

    public static async Task<JsonObject> ReadAsync(KubeApi api, MovedKind kind, string @namespace, string name) =>
        await api.DocumentAsync(kind.Resource, new(@namespace, name), Cancellation) ?? throw new InvalidOperationException($"there is no {kind} {name}");

    public async ValueTask DisposeAsync()
    {
        From.Dispose();
        To.Dispose();
        await Old.DisposeAsync();
        await New.DisposeAsync();
        folder.Dispose();
    }

    private Task<EmbeddedApiServer> ServeAsync(string name) =>
        EmbeddedApiServer.StartAsync(new() { DataDirectory = folder.File(name), Port = 0 }, NullLoggerFactory.Instance, TimeProvider.System, Cancellation);

    private static KubeApi Connect(EmbeddedApiServer server) => KubeApi.Connect(RunningApiServer.ConfigurationOf(server), TimeProvider.System);

    private sealed class Cable(int afterWrites, CancellationTokenSource end) : DelegatingHandler
    {
        private int writes;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (request.Method == HttpMethod.Get)
                return await base.SendAsync(request, cancellationToken);
            // What is on its way arrives; nobody hears the answer.
            var turn = Interlocked.Increment(ref writes);
            if (turn > afterWrites)
                throw new OperationCanceledException(end.Token);
            var response = await base.SendAsync(request, CancellationToken.None);
            if (turn < afterWrites)
                return response;
            response.Dispose();
            await end.CancelAsync();
            throw new OperationCanceledException(end.Token);
        }
    }
}
