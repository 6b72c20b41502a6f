using Flotta.EdgeApi.Fleet;
using Flotta.EdgeApi.Sessions;
using Flotta.Kube;
using Flotta.Resources;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Flotta.EdgeApi.Configuration;

/// <summary>Assembles configurations from the caches, and remembers for each session which version it came to, until something changes.</summary>
internal sealed partial class ConfigurationVersions(FleetCaches fleet, SessionTable sessions, EventRecorder recorder, ILoggerFactory loggers)
{
    private readonly ILogger logger = loggers.CreateLogger<ConfigurationVersions>();

    public async ValueTask<KnownVersion> OfAsync(EdgeDevice device, Session session, CancellationToken cancellationToken)
    {
        if (session.Version is { } known && known.Epoch == session.Epoch)
            return known;
        var assembled = await AssembleAsync(device, session, cancellationToken);
        return session.Version ?? new(assembled.Version, null, -1);
    }

    public async ValueTask<AssembledConfiguration> AssembleAsync(EdgeDevice device, Session session, CancellationToken cancellationToken)
    {
        // Read before the ingredients: a change in between makes the result old, never the other way round.
        var epoch = session.Epoch;
        var ingredients = await GatherAsync(device, cancellationToken);
        var assembled = ConfigurationAssembly.Assemble(ingredients);
        var problem = assembled.Problems.Count == 0 ? null : string.Join("; ", assembled.Problems);
        var before = session.Version;
        var storage = StorageAssembly.Problem(ingredients.Set?.Spec.Storage ?? device.Spec.Storage, ingredients);
        session.Know(new(assembled.Version, problem, epoch) { Storage = storage }, assembled.Content, sessions.Rendered);
        if (problem != null && !string.Equals(problem, before?.Problem, StringComparison.Ordinal))
            await TellAsync(device, "Misconfiguration", problem, cancellationToken);
        if (storage != null && !string.Equals(storage, before?.Storage, StringComparison.Ordinal))
            await TellAsync(device, "NoStorage", storage, cancellationToken);
        return assembled;
    }

    private async ValueTask<Ingredients> GatherAsync(EdgeDevice device, CancellationToken cancellationToken)
    {
        var set = fleet.SetFor(device);
        var workloads = fleet.WorkloadsFor(device);
        var secrets = new Dictionary<Attachment, V1Secret>();
        var maps = new Dictionary<Attachment, V1ConfigMap>();
        foreach (var attachment in Ingredients.Needed(device, set, workloads))
        {
            if (attachment.Kind == AttachmentKind.Secret)
            {
                if (await fleet.Secrets.GetAsync(attachment.Key, cancellationToken) is { } secret)
                    secrets[attachment] = secret;
            }
            else if (await fleet.ConfigMaps.GetAsync(attachment.Key, cancellationToken) is { } map)
            {
                maps[attachment] = map;
            }
        }

        return new(device, set, workloads, secrets, maps) 
        {
            Route = await RouteAsync(device, cancellationToken),
            Playbooks = [.. OpenPlaybooks.Of(fleet, device).Select(playbook => playbook.Metadata.Uid)],
        };
    }

    private async ValueTask<BucketRoute?> RouteAsync(EdgeDevice device, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(device.Status?.DataObc) || await fleet.Routes.HostAsync(cancellationToken) is not { } host)
            return null;
        var secret = await fleet.Secrets.GetAsync(References.RouterCa.Key, cancellationToken);
        return new(host, secret?.Data?.TryGetValue("tls.crt", out var ca) == true ? ca : null);
    }

    private async Task TellAsync(EdgeDevice device, string reason, string problem, CancellationToken cancellationToken)
    {
        LogProblem(ObjectKey.Of(device), problem);
        try
        {
            await recorder.RecordAsync(device, EventRecorder.Warning, reason, problem, cancellationToken);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // The device's configuration matters more than telling about it.
            LogNotTold(ObjectKey.Of(device), error.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The configuration of {Device} is not whole: {Problem}")]
    private partial void LogProblem(ObjectKey device, string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "No event about {Device} could be written: {Error}")]
    private partial void LogNotTold(ObjectKey device, string error);
}
