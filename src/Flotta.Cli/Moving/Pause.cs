using System.Globalization;
using System.Text.Json.Nodes;
using Flotta.Kube;
using Flotta.Resources;

namespace Flotta.Cli.Moving;

/// <summary>
/// A Lease that tells Operator and Edge API not to begin: while it is held, objects are being copied, and who acted on half of them would delete, place and issue
/// wrongly. It does not expire: a copy that was killed half-way is still half a copy.
/// </summary>
internal static class Pause
{
    public const string Name = "flotta-move";

    private static readonly KubeResource Leases = new("coordination.k8s.io/v1", "Lease", "leases", true);
    private static readonly KubeResource Deployments = new("apps/v1", "Deployment", "deployments", true);
    private static readonly KubeResource Webhooks = new("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", false);
    private static readonly ObjectKey Key = new(Names.OperatorNamespace, Name);
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(45);

    /// <summary>By whom; null where nothing is being moved.</summary>
    public static async Task<string?> HolderAsync(KubeApi api, CancellationToken cancellationToken) =>
        await api.DocumentAsync(Leases, Key, cancellationToken) is { } lease && Document.Text(lease["spec"]?["holderIdentity"]) is { Length: > 0 } holder ? holder : null;

    /// <summary>For a program that starts: returns when nothing is being moved.</summary>
    public static async Task WaitAsync(KubeApi api, Action<string> tell, TimeProvider time, CancellationToken cancellationToken)
    {
        string? told = null;
        while (true)
        {
            string? holder;
            try
            {
                holder = await HolderAsync(api, cancellationToken);
            }
            catch (Exception unknown) when (unknown is KubeException or HttpRequestException or TimeoutException)
            {
                // A role of people's own may not let us look, and a server that is away is for those to tell who need it.
                return;
            }

            if (holder is null)
                return;
            if (holder != told)
                tell($"waiting: objects are being moved ({holder}). It ends by itself when that is finished; to begin all the same: kubectl -n {Key.Namespace} delete lease {Name}");
            told = holder;
            await Task.Delay(Look * (0.8 + (0.4 * Random.Shared.NextDouble())), time, cancellationToken);
        }
    }

    /// <exception cref="FailureException">Somebody else is moving things.</exception>
    public static async Task TakeAsync(KubeApi api, string holder, CancellationToken cancellationToken)
    {
        var lease = new JsonObject
        {
            ["apiVersion"] = Leases.ApiVersion, ["kind"] = Leases.Kind,
            ["metadata"] = new JsonObject { ["name"] = Key.Name, ["namespace"] = Key.Namespace },
            ["spec"] = new JsonObject { ["holderIdentity"] = holder },
        };
        try
        {
            await api.SendDocumentAsync(HttpMethod.Post, Leases.Collection(Key.Namespace), lease, cancellationToken);
        }
        catch (KubeException taken) when (taken.IsAlreadyExists)
        {
            var other = await HolderAsync(api, cancellationToken);
            if (other != holder)
                throw new FailureException($"another move is under way there ({other}); finish it, or give it up: kubectl -n {Key.Namespace} delete lease {Name}", taken);
        }
    }

    public static Task ReleaseAsync(KubeApi api, CancellationToken cancellationToken) => api.DeleteAsync<k8s.Models.V1Lease>(Key, cancellationToken);

    /// <summary>Waits for programs that are just stopping; there is no waiting for those that go on.</summary>
    /// <exception cref="FailureException">With what to stop, and how.</exception>
    public static async Task NobodyWorksAsync(KubeApi api, Action<string> tell, TimeProvider time, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var seen = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var told = false; ; told = true)
        {
            var busy = await WhoWorksAsync(api, seen, cancellationToken);
            if (busy.Wait.Count + busy.Stop.Count == 0)
                return;
            if (busy.Stop.Count > 0 || time.GetElapsedTime(began) > Patience)
                throw new FailureException($"{string.Join(" and ", busy.Stop.Concat(busy.Wait))} there: first kubectl -n {Key.Namespace} scale deployment flotta-controller-manager flotta-edge-api --replicas=0, or stop the programs.");
            if (!told)
                tell($"waiting for {string.Join(", ", busy.Wait)}");
            await Task.Delay(Look, time, cancellationToken);
        }
    }

    /// <summary>A cluster whose webhooks nobody answers takes no object of ours.</summary>
    public static async Task<bool> HasWebhooksAsync(KubeApi api, CancellationToken cancellationToken) =>
        await api.DocumentAsync(Webhooks, new("", "flotta-validating-webhook-configuration"), cancellationToken) is not null;

    private static async Task<(List<string> Stop, List<string> Wait)> WhoWorksAsync(KubeApi api, Dictionary<string, string> seen, CancellationToken cancellationToken)
    {
        var (stop, wait) = (new List<string>(), new List<string>());
        foreach (var name in (string[])["flotta-controller-manager", "flotta-edge-api"])
        {
            if (await api.DocumentAsync(Deployments, new(Key.Namespace, name), cancellationToken) is { } deployment && Document.Number(deployment["status"]?["replicas"]) > 0)
                stop.Add($"the deployment {name} runs");
        }

        var now = await api.ServerTimeAsync(cancellationToken) ?? TimeProvider.System.GetUtcNow();
        await foreach (var lease in api.DocumentsAsync(Leases, Key.Namespace, cancellationToken))
        {
            if (!IsAlive(lease, now))
                continue;
            // One that is renewed under our eyes is held by a program that goes on; one that is not may be of a program that was killed a moment ago.
            var (name, renewed) = (Document.KeyOf(lease).Name, Document.Text(lease["spec"]?["renewTime"]));
            seen.TryAdd(name, renewed);
            (seen[name] == renewed ? wait : stop).Add($"{name} is held by a program that runs");
        }

        return (stop, wait);
    }

    private static bool IsAlive(JsonObject lease, DateTimeOffset now)
    {
        var spec = lease["spec"];
        return Document.KeyOf(lease).Name != Name
            && Document.Text(spec?["holderIdentity"]).Length > 0
            && DateTimeOffset.TryParse(Document.Text(spec?["renewTime"]), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var renewed)
            && now - renewed < TimeSpan.FromSeconds(Document.Number(spec?["leaseDurationSeconds"]) ?? 30);
    }
}
