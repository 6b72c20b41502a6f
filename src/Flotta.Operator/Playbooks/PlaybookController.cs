using System.Text.Json.Nodes;
using Flotta.Kube;
using Flotta.Resources;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Flotta.Operator.Playbooks;

/// <summary>Gives every device its PlaybookExecutions, and takes the label of a config away once its playbooks have ended there.</summary>
internal sealed partial class PlaybookController : IController
{
    private readonly Inventory inventory;
    private readonly Pace pace;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly WorkQueue<ObjectKey> queue;
    private readonly ReconcileLoop<ObjectKey> loop;

    public PlaybookController(Inventory inventory, OperatorOptions options, Pace pace, ILoggerFactory loggers, TimeProvider time)
    {
        (this.inventory, this.pace, this.time) = (inventory, pace, time);
        logger = loggers.CreateLogger<PlaybookController>();
        queue = new(time);
        loop = new("playbooks", queue, ReconcileAsync, loggers, time, inventory.Work(options.EdgeConfigConcurrency));
        inventory.Devices.Changed += Look;
        inventory.Configs.Changed += change => LookAtConfig(change.Key);
        inventory.Playbooks.Changed += Look;
    }

    public void LookAtEverything()
    {
        foreach (var config in inventory.Configs.All) LookAtConfig(ObjectKey.Of(config));
        foreach (var playbook in inventory.Playbooks.All) queue.Add(DeviceOf(playbook));
    }

    public Task RunAsync(CancellationToken cancellationToken) => loop.RunAsync(cancellationToken);

    private void LookAtConfig(ObjectKey config)
    {
        foreach (var device in inventory.DevicesWithConfig(config)) queue.Add(ObjectKey.Of(device));
        foreach (var playbook in inventory.PlaybooksOf(config)) queue.Add(DeviceOf(playbook));
    }

    private void Look(ObjectChange<EdgeDevice> change)
    {
        var (before, after) = (Configs(change.Before), Configs(change.After));
        var (was, @is) = (Entries(change.Before), Entries(change.After));
        var left = change.After is not { Metadata.DeletionTimestamp: null } && inventory.PlaybooksFor(change.Key).Count > 0;
        if (left || !before.SequenceEqual(after, StringComparer.Ordinal) || (was != @is && after.Count > 0)) queue.Add(change.Key);
    }

    private void Look(ObjectChange<PlaybookExecution> change)
    {
        // Ended, gone, or new: what else its device reports of it changes nothing here.
        if (change is { Before: { } before, After: { } after } && before.HasEnded() == after.HasEnded() && before.Metadata.Generation == after.Metadata.Generation) return;
        queue.Add(DeviceOf((change.After ?? change.Before)!));
    }

    private static List<string> Configs(EdgeDevice? device) => device is null ? [] : [.. Inventory.ConfigsOf(device)];

    private static string Entries(EdgeDevice? device) => string.Join('/', (device?.Status?.PlaybookExec ?? []).Select(entry => entry.Name));

    // The label may be cut: then the name is found by what it was cut from.
    private ObjectKey DeviceOf(PlaybookExecution playbook)
    {
        var home = playbook.Metadata.NamespaceProperty;
        var label = playbook.Metadata.Labels[Names.Labels.Device];
        return label.Length < LabelValue.MaxLength
            ? new(home, label)
            : new(home, inventory.DevicesIn(home).FirstOrDefault(device => LabelValue.Fit(device.Metadata.Name) == label)?.Metadata.Name ?? label);
    }

    private PlaybookPlan Plan(ObjectKey key) =>
        PlaybookPlan.For(key, inventory.Devices.Get(key), name => inventory.Configs.Get(key.Namespace, name), inventory.PlaybooksFor(key), name => IsTaken(key, inventory.Playbooks.Get(key.Namespace, name)), time.GetUtcNow());

    private static bool IsTaken(ObjectKey device, PlaybookExecution? there) =>
        there?.Metadata.Labels?.TryGetValue(Names.Labels.Device, out var owner) == true && owner != LabelValue.Fit(device.Name);

    private async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (Plan(key).IsEmpty) return ReconcileResult.Done;
        await pace.WaitAsync(cancellationToken);
        var plan = Plan(key);
        // The next run before the last one goes: which run it is follows from the last.
        foreach (var playbook in plan.Create)
        {
            if (!await TryCreateAsync(key, playbook, cancellationToken)) return ReconcileResult.After(TimeSpan.FromSeconds(1));
        }

        foreach (var playbook in plan.Delete) await DeleteAsync(playbook, cancellationToken);
        try
        {
            if (plan.Entries is { } entries && inventory.Devices.Get(key) is { } device) await ListAsync(key, device, entries, cancellationToken);
            if (plan.Unlabel.Count > 0)
            {
                var labels = new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject(plan.Unlabel.Select(label => KeyValuePair.Create(label, (JsonNode?)null))) } };
                inventory.Devices.Remember(await inventory.Api.MergePatchAsync<EdgeDevice>(key, labels, cancellationToken));
                LogDone(key);
            }
        }
        catch (KubeException gone) when (gone.IsNotFound)
        {
            return ReconcileResult.Done;
        }

        foreach (var playbook in plan.MarkDone) await MarkAsync(playbook, cancellationToken);
        return ReconcileResult.Done;
    }

    private async Task ListAsync(ObjectKey key, EdgeDevice device, IReadOnlyList<DevicePlaybook> entries, CancellationToken cancellationToken)
    {
        // The Edge API writes what devices say into the same list.
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject { ["resourceVersion"] = device.Metadata.ResourceVersion },
            ["status"] = new JsonObject { ["PlaybookExec"] = JsonNode.Parse(KubeJson.Serialize(entries)) },
        };
        inventory.Devices.Remember(await inventory.Api.MergePatchStatusAsync<EdgeDevice>(key, patch, cancellationToken));
    }

    /// <summary>False when another device's has the name: once the watch has brought that one, the plan has another name.</summary>
    private async Task<bool> TryCreateAsync(ObjectKey device, PlaybookExecution playbook, CancellationToken cancellationToken)
    {
        var key = ObjectKey.Of(playbook);
        try
        {
            await inventory.Api.CreateAsync(playbook, cancellationToken);
        }
        catch (KubeException there) when (there.IsAlreadyExists)
        {
            var taken = await inventory.Api.GetAsync<PlaybookExecution>(key, cancellationToken);
            if (taken is null || IsTaken(device, taken)) return false;
            // Ours from a moment ago, which the watch still has to bring; or somebody's own, which stays as it is.
            if (taken.Metadata.Labels?.ContainsKey(Names.Labels.Device) != true) LogForeign(key, device);
            return true;
        }

        var status = new PlaybookExecutionStatus { Conditions = PlaybookPlan.Deploying(time.GetUtcNow()) };
        await inventory.Api.MergePatchStatusAsync<PlaybookExecution>(key, new JsonObject { ["status"] = JsonNode.Parse(KubeJson.Serialize(status)) }, cancellationToken);
        return true;
    }

    private async Task DeleteAsync(PlaybookExecution playbook, CancellationToken cancellationToken)
    {
        try
        {
            await inventory.Api.DeleteAsync<PlaybookExecution>(ObjectKey.Of(playbook), cancellationToken, new V1Preconditions { Uid = playbook.Metadata.Uid });
        }
        catch (KubeException another) when (another.IsConflict)
        {
            // A newer one has its name.
        }
    }

    private async Task MarkAsync(PlaybookExecution playbook, CancellationToken cancellationToken)
    {
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["uid"] = playbook.Metadata.Uid, ["annotations"] = new JsonObject { [Names.Annotations.Done] = Names.Labels.True } } };
        try
        {
            inventory.Playbooks.Remember(await inventory.Api.MergePatchAsync<PlaybookExecution>(ObjectKey.Of(playbook), patch, cancellationToken));
        }
        catch (KubeException gone) when (gone.IsNotFound || gone.IsConflict)
        {
            // Nothing is left to be marked.
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The device {Device} has run all playbooks of a config")]
    private partial void LogDone(ObjectKey device);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The playbook execution {Playbook} is not ours: the playbook of that name does not run on {Device} while it is there")]
    private partial void LogForeign(ObjectKey playbook, ObjectKey device);
}
