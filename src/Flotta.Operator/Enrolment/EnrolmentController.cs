using System.Text.Json.Nodes;
using Flotta.Kube;
using Flotta.Resources;
using Microsoft.Extensions.Logging;

namespace Flotta.Operator.Enrolment;

/// <summary>Lets devices in: an approved EdgeDeviceSignedRequest becomes an EdgeDevice in the namespace that it asks for.</summary>
internal sealed partial class EnrolmentController : IController
{
    // What the API server refuses today (a namespace that is going away, a right that is missing) it may accept later.
    private static readonly TimeSpan AfterRefusal = TimeSpan.FromMinutes(1);

    private readonly Inventory inventory;
    private readonly ApprovalPolicy policy;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly WorkQueue<ObjectKey> queue;
    private readonly ReconcileLoop<ObjectKey> loop;

    public EnrolmentController(Inventory inventory, OperatorOptions options, ILoggerFactory loggers, TimeProvider time)
    {
        this.inventory = inventory;
        this.time = time;
        policy = new(options.AutoApproval, options.AutoApprovalNamespaces);
        logger = loggers.CreateLogger<EnrolmentController>();
        queue = new(time);
        loop = new("enrolment", queue, ReconcileAsync, loggers, time, inventory.Work(options.MaxConcurrentReconciles));
        inventory.Requests.Changed += change => queue.Add(change.Key);
        inventory.Namespaces.Changed += change => LookAtRequestsFor(change.Key.Name);
    }

    public void LookAtEverything()
    {
        foreach (var request in inventory.Requests.All) queue.Add(ObjectKey.Of(request));
    }

    public Task RunAsync(CancellationToken cancellationToken) => loop.RunAsync(cancellationToken);

    private void LookAtRequestsFor(string @namespace)
    {
        foreach (var request in inventory.Requests.All.Where(request => request.Spec.TargetNamespace == @namespace)) queue.Add(ObjectKey.Of(request));
    }

    private async Task<ReconcileResult> ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (inventory.Requests.Get(key) is not { Metadata.DeletionTimestamp: null } request) return ReconcileResult.Done;
        var target = new ObjectKey(request.Spec.TargetNamespace, key.Name);
        var decision = EnrolmentDecision.For(
            request,
            deviceExists: inventory.Devices.Get(target) is not null,
            namespaceExists: inventory.Namespaces.Get("", target.Namespace) is not null,
            policy,
            time.GetUtcNow());
        switch (decision.Step)
        {
            case EnrolmentStep.Approve:
                var patch = new JsonObject { ["metadata"] = Precondition(request), ["spec"] = new JsonObject { ["approved"] = true } };
                inventory.Requests.Remember(await inventory.Api.MergePatchAsync<EdgeDeviceSignedRequest>(key, patch, cancellationToken));
                queue.Add(key);
                return ReconcileResult.Done;
            case EnrolmentStep.Create when await CreateAsync(request, target, cancellationToken) is { } refusal:
                await ReportAsync(request, EnrolmentDecision.Refused(request, refusal, time.GetUtcNow()), cancellationToken);
                return ReconcileResult.After(AfterRefusal);
            default:
                await ReportAsync(request, decision, cancellationToken);
                return ReconcileResult.Done;
        }
    }

    /// <summary>Null when the device is there afterwards, else why it cannot be.</summary>
    private async Task<string?> CreateAsync(EdgeDeviceSignedRequest request, ObjectKey target, CancellationToken cancellationToken)
    {
        try
        {
            await inventory.Api.CreateAsync(NewDevice.For(request, time.GetUtcNow()), cancellationToken);
            LogCreated(target);
            return null;
        }
        catch (KubeException taken) when (taken.IsAlreadyExists)
        {
            return null;
        }
        catch (KubeException refusal) when (refusal.IsRefused || refusal.IsNotFound)
        {
            LogRefused(target, refusal.Message);
            return $"the EdgeDevice {target} cannot be created: {refusal.Message}";
        }
    }

    private async Task ReportAsync(EdgeDeviceSignedRequest request, EnrolmentDecision decision, CancellationToken cancellationToken)
    {
        if (decision.Conditions.SequenceEqual(request.Status?.Conditions ?? [])) return;
        var status = KubeJson.Node(new EdgeDeviceSignedRequestStatus { Conditions = decision.Conditions });
        var patch = new JsonObject { ["metadata"] = Precondition(request), ["status"] = status };
        inventory.Requests.Remember(await inventory.Api.MergePatchStatusAsync<EdgeDeviceSignedRequest>(ObjectKey.Of(request), patch, cancellationToken));
    }

    private static JsonObject Precondition(EdgeDeviceSignedRequest request) => new() { ["resourceVersion"] = request.Metadata.ResourceVersion };

    [LoggerMessage(Level = LogLevel.Information, Message = "Let the device {Device} in")]
    private partial void LogCreated(ObjectKey device);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The device {Device} cannot be let in: {Reason}")]
    private partial void LogRefused(ObjectKey device, string reason);
}
