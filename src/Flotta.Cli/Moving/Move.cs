using System.Globalization;
using System.Text.Json.Nodes;
using Flotta.Kube;

namespace Flotta.Cli.Moving;

/// <param name="Everything">The source is an embedded installation, which holds nothing but Flotta.</param>
/// <param name="KeepDiffering">What the other side has under the same name and with another content stays as it is there, and the move counts as finished.</param>
internal sealed record MoveOptions(bool Everything, bool DryRun, bool KeepDiffering);

/// <summary>
/// Copies an installation from one API server to another: looks at both, decides for each object, writes what is missing, and compares. Each run begins by looking, so a
/// run that was killed is finished by the next.
/// </summary>
internal sealed class Move(KubeApi from, KubeApi to, MoveOptions options, Journal journal, TextWriter output, Action<string> tell, TimeProvider time)
{
    private const int AtOnce = 8;

    private static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(2);

    private readonly Dictionary<(MovedKind Kind, ObjectKey Key), Deed> deeds = [];
    private readonly Lock gate = new();
    private readonly List<string> problems = [];
    private Census here = new();

    /// <returns>Whether all is there now (of a dry run: whether nothing stands in the way).</returns>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        here = await Census.SelectedAsync(from, new Selection(options.Everything), cancellationToken);
        var there = await Census.SameNamesAsync(to, here, cancellationToken);
        tell(string.Create(CultureInfo.InvariantCulture, $"{here.Count} objects to move, {there.Count} of these names are there"));
        Decide(there);
        if (options.DryRun)
        {
            foreach (var ((kind, key), deed) in deeds.Where(one => one.Value.Act != Act.Nothing))
                await output.WriteLineAsync($"{Word(deed.Act)} {kind} {key}{(deed.Why.Length > 0 ? ": " + deed.Why : "")}");
            foreach (var act in Enum.GetValues<Act>())
                await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{deeds.Values.Count(deed => deed.Act == act)} {Summary(act)}"));
            return !deeds.Values.Any(InTheWay);
        }

        var copy = new Copy(to, journal, time);
        foreach (var kind in MovedKind.All)
            await WriteAsync(copy, kind, there, cancellationToken);
        there = await Census.SameNamesAsync(to, here, cancellationToken);
        await OwnAsync(copy, there, cancellationToken);
        await DeleteAsync(copy, there, cancellationToken);
        return await CompareAsync(cancellationToken);
    }

    private void Decide(Census there)
    {
        foreach (var kind in MovedKind.All)
        {
            foreach (var (key, print) in here.Of(kind).OrderBy(one => one.Key.ToString(), StringComparer.Ordinal))
                deeds[(kind, key)] = Deed.For(print, there.Find(kind, key), journal.Has(kind, key));
        }

        if (deeds.FirstOrDefault(one => one.Key.Kind == MovedKind.Secrets && Selection.IsIdentity(one.Key.Key) && one.Value.Act == Act.Differs) is { Value: not null } other)
        {
            throw new FailureException(
                $"the Secret {other.Key.Key} is another one there: an Edge API has made certificates of its own, which the devices of this installation do not know. "
                + "If no device uses them: kubectl -n flotta delete secret flotta-ca flotta-host-certificate; kubectl -n flotta delete secret -l reg-client-ca=true");
        }
    }

    private async Task WriteAsync(Copy copy, MovedKind kind, Census there, CancellationToken cancellationToken)
    {
        var left = deeds.Count(one => one.Key.Kind == kind && one.Value.Act is Act.Create or Act.Complete);
        if (left == 0)
            return;
        var (all, done, told) = (left, 0, time.GetTimestamp());
        await Parallel.ForEachAsync(
            Wanted(kind, cancellationToken),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
            async (document, stop) =>
            {
                var key = Document.KeyOf(document);
                var deed = await AttemptAsync(kind, key, () => copy.WriteAsync(kind, document, here.Find(kind, key)!, there.Find(kind, key), stop), stop);
                lock (gate)
                {
                    deeds[(kind, key)] = deed;
                    done++;
                    if (done < all && time.GetElapsedTime(told) < TellEvery)
                        return;
                    told = time.GetTimestamp();
                    tell(string.Create(CultureInfo.InvariantCulture, $"{kind} {done} of {all}"));
                }
            });
    }

    private async IAsyncEnumerable<JsonObject> Wanted(MovedKind kind, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var document in from.DocumentsAsync(kind.Resource, null, cancellationToken))
        {
            bool wanted;
            lock (gate)
                wanted = deeds.TryGetValue((kind, Document.KeyOf(document)), out var deed) && deed.Act is Act.Create or Act.Complete;
            if (wanted)
                yield return document;
        }
    }

    // One that is refused must not keep the others.
    private async Task<Deed> AttemptAsync(MovedKind kind, ObjectKey key, Func<Task<Deed>> write, CancellationToken cancellationToken)
    {
        try
        {
            return await write();
        }
        catch (KubeException refused) when (!cancellationToken.IsCancellationRequested)
        {
            lock (gate)
                problems.Add($"{kind} {key} was refused there: {refused.Message}");
            return new(Act.Complete);
        }
    }

    private async Task OwnAsync(Copy copy, Census there, CancellationToken cancellationToken)
    {
        foreach (var kind in MovedKind.All)
        {
            var orphans = here.Of(kind).Where(one => one.Value.Owners.Count > 0 && there.Find(kind, one.Key) is { Owners.Count: 0 } && !InTheWay(deeds[(kind, one.Key)])).ToList();
            await Parallel.ForEachAsync(
                orphans,
                new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
                async (one, stop) =>
                {
                    var owners = one.Value.Owners.Select(owner => (owner, there.OwnerOf(one.Key, owner)?.Uid ?? "")).ToList();
                    // With an owner that is missing it would be collected as garbage.
                    if (owners.TrueForAll(owner => owner.Item2.Length > 0))
                    {
                        await AttemptAsync(kind, one.Key, async () =>
                        {
                            await copy.OwnAsync(kind, one.Key, owners, stop);
                            return new(Act.Nothing);
                        }, stop);
                    }
                });
        }
    }

    // Last, because somebody may let go of them as soon as they are being deleted.
    private async Task DeleteAsync(Copy copy, Census there, CancellationToken cancellationToken)
    {
        foreach (var kind in MovedKind.All.Reverse())
        {
            foreach (var (key, _) in here.Of(kind).Where(one => one.Value.Deleting && there.Find(kind, one.Key) is { Deleting: false } && !InTheWay(deeds[(kind, one.Key)])))
            {
                await AttemptAsync(kind, key, async () =>
                {
                    await copy.DeleteAsync(kind, key, cancellationToken);
                    return new(Act.Nothing);
                }, cancellationToken);
            }
        }
    }

    private async Task<bool> CompareAsync(CancellationToken cancellationToken)
    {
        var kept = deeds.Where(one => options.KeepDiffering && InTheWay(one.Value)).Select(one => one.Key).ToHashSet();
        var result = Comparison.Of(here, await Census.SameNamesAsync(to, here, cancellationToken), kept);
        await output.WriteLineAsync($"{"kind",-26}{"here",7}{"there",8}");
        foreach (var kind in result.Where(kind => kind.Here + kind.There > 0))
            await output.WriteLineAsync(kind.ToString());
        foreach (var ((kind, key), deed) in deeds.Where(one => InTheWay(one.Value)))
            await output.WriteLineAsync($"{kind} {key} {deed.Why}; it was left as it is there");
        foreach (var problem in problems)
            await output.WriteLineAsync(problem);
        return problems.Count == 0 && result.All(kind => kind.IsSame);
    }

    private static bool InTheWay(Deed deed) => deed.Act is Act.Differs or Act.Gone;

    private static string Word(Act act) => act switch
    {
        Act.Create => "create",
        Act.Complete => "complete",
        _ => "leave",
    };

    private static string Summary(Act act) => act switch
    {
        Act.Nothing => "are there already",
        Act.Create => "would be created",
        Act.Complete => "would be completed (status, owners or deletion)",
        Act.Differs => "are there and say something else: they would be left as they are",
        _ => "were deleted there since they were copied: they would not come back",
    };
}
