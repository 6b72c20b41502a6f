using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Flotta.Kube;
using Flotta.Resources;
using k8s.Models;

namespace Flotta.Operator.Playbooks;

/// <summary>
/// What has to change so that a device has one PlaybookExecution for every playbook of every EdgeConfig that its labels name. A config whose playbooks have all ended
/// loses its label, which is how people see that it is done; to run it again they set the label again. Pure.
/// </summary>
/// <param name="Create">Ours to make.</param>
/// <param name="Delete">Nobody wants them any more.</param>
/// <param name="Unlabel">Keys of the labels of configs that are done.</param>
/// <param name="MarkDone">Have ended, and their label is gone: the next label starts anew.</param>
/// <param name="Entries">status.PlaybookExec; null where it is right already.</param>
internal sealed record PlaybookPlan(
    IReadOnlyList<PlaybookExecution> Create,
    IReadOnlyList<PlaybookExecution> Delete,
    IReadOnlyList<string> Unlabel,
    IReadOnlyList<PlaybookExecution> MarkDone,
    IReadOnlyList<DevicePlaybook>? Entries)
{
    /// <summary>Of what the playbook was when its execution was made; told apart by this when the config changes.</summary>
    public const string Digest = "flotta/playbook";

    public bool IsEmpty => Create.Count == 0 && Delete.Count == 0 && Unlabel.Count == 0 && MarkDone.Count == 0 && Entries is null;

    /// <param name="isTaken">Whether an execution of another device has the name.</param>
    public static PlaybookPlan For(
        ObjectKey key, EdgeDevice? device, Func<string, EdgeConfig?> find, IReadOnlyList<PlaybookExecution> present, Func<string, bool> isTaken, DateTimeOffset now)
    {
        if (device is not { Metadata.DeletionTimestamp: null }) return new([], present, [], [], null);
        List<PlaybookExecution> create = [], delete = [], done = [];
        List<string> unlabel = [];
        var wanted = Inventory.ConfigsOf(device).ToList();
        foreach (var name in wanted)
        {
            if (find(name) is not { Metadata.DeletionTimestamp: null } config) continue;
            var mine = present.Where(playbook => IsOf(playbook, name)).ToLookup(IndexOf);
            var kept = new List<PlaybookExecution>();
            var playbooks = config.Spec.EdgePlaybook?.Playbooks ?? [];
            for (var index = 0; index < playbooks.Count; index++)
            {
                var last = mine[index].MaxBy(playbook => playbook.Spec.ExecutionAttempt ?? 0);
                var first = Execution(device, config, index, 0, isTaken);
                if (last is null) create.Add(first);
                else if (IsStale(last, first)) create.Add(Execution(device, config, index, (last.Spec.ExecutionAttempt ?? 0) + 1, isTaken));
                else kept.Add(last);
            }

            delete.AddRange(mine.SelectMany(group => group).Except(kept));
            if (kept.Count > 0 && kept.Count == playbooks.Count && kept.TrueForAll(playbook => playbook.HasEnded()))
                unlabel.AddRange(device.Metadata.Labels!.Where(label => label.Key.StartsWith(Names.Labels.ConfigPrefix, StringComparison.Ordinal) && label.Value == name).Select(label => label.Key));
        }

        foreach (var playbook in present.Where(playbook => !wanted.Exists(name => IsOf(playbook, name))))
        {
            if (!playbook.HasEnded()) delete.Add(playbook); // the label was taken away before it ran
            else if (!IsDone(playbook)) done.Add(playbook);
        }

        // A config that is gone takes what it made along, whoever's labels still name it.
        delete.AddRange(present.Except(delete).Where(playbook => find(ConfigOf(playbook)) is null).ToList());
        done.RemoveAll(delete.Contains);
        return new(create, delete, unlabel, done, EntriesFor(device, [.. present.Except(delete).Concat(create).DistinctBy(playbook => playbook.Metadata.Name)], now));
    }

    // Whether an execution belongs to another run than the one that is wanted: its playbook was another one, or that run is over.
    private static bool IsStale(PlaybookExecution there, PlaybookExecution wanted) =>
        IsDone(there) || there.Metadata.Annotations?.TryGetValue(Digest, out var digest) != true || digest != wanted.Metadata.Annotations[Digest];

    private static bool IsDone(PlaybookExecution playbook) => playbook.Metadata.Annotations?.ContainsKey(Names.Annotations.Done) == true;

    private static bool IsOf(PlaybookExecution playbook, string config) => ConfigOf(playbook) == config;

    // The label may be cut; the owner's name is whole.
    public static string ConfigOf(PlaybookExecution playbook) =>
        playbook.Metadata.OwnerReferences?.FirstOrDefault(owner => owner.Kind == EdgeConfig.KindName)?.Name ?? playbook.Metadata.Labels?[Names.Labels.Config] ?? "";

    private static int IndexOf(PlaybookExecution playbook) =>
        playbook.Metadata.Annotations?.TryGetValue(Names.Annotations.Index, out var text) == true && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : -1;

    private static PlaybookExecution Execution(EdgeDevice device, EdgeConfig config, int index, int attempt, Func<string, bool> isTaken)
    {
        var name = Names.PlaybookExecution(device.Metadata.Name, config.Metadata.Name, index, attempt);
        var edge = config.Spec.EdgePlaybook!;
        var annotations = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [Digest] = Hash(edge.Playbooks![index], edge.User),
            [Names.Annotations.Index] = index.ToString(CultureInfo.InvariantCulture),
        };
        if (!string.IsNullOrEmpty(edge.User)) annotations[Names.Annotations.User] = edge.User;
        return new()
        {
            Metadata = new()
            {
                Name = isTaken(name) ? Names.PlaybookExecutionApart(device.Metadata.Name, config.Metadata.Name, index, attempt) : name,
                NamespaceProperty = device.Metadata.NamespaceProperty,
                Labels = new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    [Names.Labels.Device] = LabelValue.Fit(device.Metadata.Name),
                    [Names.Labels.Config] = LabelValue.Fit(config.Metadata.Name),
                },
                Annotations = annotations,
                OwnerReferences = [new V1OwnerReference { ApiVersion = Names.ApiVersion, Kind = EdgeConfig.KindName, Name = config.Metadata.Name, Uid = config.Metadata.Uid }],
            },
            Spec = new() { Playbook = edge.Playbooks![index], ExecutionAttempt = attempt },
        };
    }

    private static string Hash(Playbook playbook, string? user) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(KubeJson.Serialize(playbook) + "\n" + user)))[..16];

    private static IReadOnlyList<DevicePlaybook>? EntriesFor(EdgeDevice device, IReadOnlyList<PlaybookExecution> executions, DateTimeOffset now)
    {
        var known = device.Status?.PlaybookExec ?? [];
        // Entries of executions that we did not make are not ours to remove: an earlier installation's have no index.
        var foreign = known.Where(entry => !entry.Name.StartsWith(device.Metadata.Name + "-", StringComparison.Ordinal)).ToList();
        var entries = executions.OrderBy(playbook => playbook.Metadata.Name, StringComparer.Ordinal).Select(playbook => known.FirstOrDefault(entry => entry.Name == playbook.Metadata.Name) ?? new DevicePlaybook
        {
            Name = playbook.Metadata.Name,
            PlaybookExecutionStatus = new() { Conditions = Deploying(now) },
        });
        IReadOnlyList<DevicePlaybook> after = [.. foreign, .. entries];
        return after.Select(entry => entry.Name).SequenceEqual(known.Select(entry => entry.Name), StringComparer.Ordinal) ? null : after;
    }

    public static IReadOnlyList<PlaybookCondition> Deploying(DateTimeOffset now) =>
        [new() { Type = Names.PlaybookConditions.Deploying, Status = Names.ConditionStatus.True, LastTransitionTime = now }];
}
