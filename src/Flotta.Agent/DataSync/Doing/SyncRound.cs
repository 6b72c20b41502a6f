using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Flotta.Agent.DataSync;

/// <summary>What one round came to.</summary>
internal sealed record RoundResult
{
    /// <summary>What ended the round before its time.</summary>
    public string? Problem { get; init; }

    /// <summary>What is not where it should be, and why.</summary>
    public IReadOnlyList<string> Egress { get; init; } = [];

    public IReadOnlyList<string> Ingress { get; init; } = [];

    public IReadOnlyList<string> Problems => Problem is null ? [.. Egress, .. Ingress] : [Problem, .. Egress, .. Ingress];

    /// <summary>Trying again may help.</summary>
    public bool Failed { get; init; }

    public TimeSpan? RetryAfter { get; init; }

    public int Sent { get; init; }

    public int Fetched { get; init; }

    /// <summary>Files that were being written.</summary>
    public IReadOnlyList<string> Unsettled { get; init; } = [];

    /// <summary>What was transferred is remembered. Otherwise the next round has to look what is in the bucket.</summary>
    public bool Remembered { get; init; } = true;

    /// <summary>What is in the bucket, as one number; null when nobody looked.</summary>
    public string? Listed { get; init; }
}

/// <summary>What a round is for.</summary>
/// <param name="List">Also look what of it is in the bucket.</param>
/// <param name="Listed">What was in the bucket when all of it was last on the device, and nothing has changed there since.</param>
internal sealed record RoundOrder(bool Egress, bool List, bool Ingress, Func<string, bool> Impatient, string? Listed);

/// <summary>One look at a workload's folders and the bucket, and the transfers that follow from it. Nothing of it stays in memory afterwards.</summary>
internal sealed partial class SyncRound(WorkloadData data, SyncSite site)
{
    private const int Most = 100_000;
    private static readonly TimeSpan BetweenSaves = TimeSpan.FromSeconds(5);
    private readonly List<string> _egress = [];
    private readonly List<string> _ingress = [];
    private readonly List<string> _unsettled = [];
    private readonly SyncMemory _memory = SyncMemory.Load(site.Places.Memory(data.Name), site.BucketIdentity);
    private readonly BegunUploads _begun = new(site.Places.Uploads(data.Name), site.BucketIdentity);
    private int _failed;
    private int _sent;
    private int _fetched;
    private long _saved = site.Time.GetTimestamp();
    private string? _listed;
    private bool _remembered = true;

    public async Task<RoundResult> RunAsync(RoundOrder order, CancellationToken cancellationToken)
    {
        TimeSpan? retryAfter = null;
        string? ended = null;
        try
        {
            using var export = OpenFolder.TryOpen(site.Places.Export(data.Name)) ?? throw new IOException("its folder is gone");
            _memory.KeepRoutes(data.Egress);
            if (order.Egress)
                await EgressAsync(export, order, cancellationToken);
            if (order.Ingress)
                await IngressAsync(export, order, cancellationToken);
        }
        catch (S3Exception exception)
        {
            (retryAfter, ended) = (exception.RetryAfter, $"bucket {site.BucketIdentity}: {exception.Message}");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            ended = exception.Message;
        }
        finally
        {
            Save(force: true);
        }

        if (_sent + _fetched > 0)
            LogRound(site.Logger, data.Name, _sent, _fetched);
        return new RoundResult
        {
            Problem = ended,
            Egress = _egress,
            Ingress = _ingress,
            Failed = _failed > 0 || ended is not null,
            RetryAfter = retryAfter,
            Sent = _sent,
            Fetched = _fetched,
            Unsettled = _unsettled,
            Remembered = _remembered,
            Listed = _failed > 0 ? null : _listed,
        };
    }

    /// <summary>Of uploads that no route asks for any more, or whose file is gone, nothing stays in the bucket.</summary>
    public async Task AbandonAsync(OpenFolder? export, Upload upload, CancellationToken cancellationToken)
    {
        foreach (var one in _begun.All)
        {
            if (!data.Egress.Any(route => IsBelow(route, one.Path) && ObjectKeys.Of(route, one.Path) == one.Key) || export?.Find(one.Path) is null)
                await upload.AbortAsync(one, cancellationToken);
        }
    }

    private async Task EgressAsync(OpenFolder export, RoundOrder order, CancellationToken cancellationToken)
    {
        var upload = new Upload(site.Bucket, export, _begun, site.Logger);
        await AbandonAsync(export, upload, cancellationToken);
        foreach (var route in data.Egress)
        {
            var skipped = route.Local.Length == 0 ? 0 : route.Local.Length + 1;
            bool Excluded(string path) => path.Length > skipped && Exclusion.Excludes(route.Exclude, path[skipped..]);
            var problems = new List<string>();
            var files = export.Files(route.Local, Excluded, Most, problems);
            _egress.AddRange(problems.Select(problem => $"egress {Label(route)}: {problem}"));
            Dictionary<string, RemoteObject>? bucket = null;
            if (order.List || _memory.IsNew)
            {
                // Whatever a server says twice counts once.
                bucket = new Dictionary<string, RemoteObject>(StringComparer.Ordinal);
                foreach (var one in (await ListAsync(route, cancellationToken)).Objects)
                    bucket[one.Key] = one;
            }

            var plan = EgressPlan.Of(route, files, _memory.Find, bucket, order.Impatient, site.Time.GetUtcNow());
            foreach (var known in plan.Known)
                _memory.Keep(known);
            var here = files.Select(file => file.Path).ToHashSet(StringComparer.Ordinal);
            // What was not looked for is not gone, and what is known of it under another key is another route's.
            _memory.Forget((path, key) => IsBelow(route, path) && key == ObjectKeys.Of(route, path) && !here.Contains(path) && !Excluded(path));
            _unsettled.AddRange(plan.Unsettled);
            await DoAsync(_egress, $"egress {Label(route)}", plan.Send, sending => sending.File.Size, sending => sending.File.Path, async (sending, token) =>
            {
                var began = site.Time.GetTimestamp();
                if (await upload.SendAsync(sending, token) is { } sent)
                {
                    _memory.Keep(sent);
                    site.Counters.Count(data.Name, TransferCounters.Egress, sent.Size, site.Time.GetElapsedTime(began));
                }
                else
                {
                    Changed(sending.File.Path);
                }

                Interlocked.Increment(ref _sent);
            }, cancellationToken);
        }
    }

    private async Task IngressAsync(OpenFolder export, RoundOrder order, CancellationToken cancellationToken)
    {
        var listings = new List<(DataRoute Route, Listing Listing)>();
        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var route in data.Ingress)
        {
            var listing = await ListAsync(route, cancellationToken);
            listings.Add((route, listing));
            foreach (var one in listing.Objects)
                sum.AppendData(Encoding.UTF8.GetBytes($"{one.Key}\n{one.ETag}\n{one.Size}\n"));
        }

        _listed = Convert.ToHexStringLower(sum.GetHashAndReset());
        if (_listed == order.Listed)
            return;
        Directory.CreateDirectory(site.Places.Incoming, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var download = new Download(site.Bucket, export, site.Places.Incoming, data.Name);
        var keys = listings.SelectMany(one => one.Listing.Objects).Select(one => one.Key).ToHashSet(StringComparer.Ordinal);
        // What was deleted in the bucket and is still here takes room all the same.
        var bytes = _memory.Entries.Where(one => !keys.Contains(one.Key) && data.Ingress.Any(route => one.Key.StartsWith(ObjectKeys.Prefix(route), StringComparison.Ordinal))).Sum(one => export.Find(one.Path)?.Size ?? 0);
        var wanted = new List<Fetching>();
        foreach (var (route, listing) in listings)
        {
            var plan = IngressPlan.Of(route, listing.Objects, _memory.Find, export.Find, data.IngressBytes, bytes);
            bytes = plan.Bytes;
            foreach (var known in plan.Known)
                _memory.Keep(known);
            wanted.AddRange(plan.Fetch);
            _ingress.AddRange(plan.Problems.Select(problem => $"ingress {Label(route)}: {problem}"));
            if (!listing.IsWhole)
                _ingress.Add(FormattableString.Invariant($"ingress {Label(route)}: there are more than {Most} objects, the rest is not looked at"));
            await DoAsync(_ingress, $"ingress {Label(route)}", plan.Fetch, fetching => fetching.Object.Size, fetching => fetching.Object.Key, async (fetching, token) =>
            {
                var began = site.Time.GetTimestamp();
                var fetched = await download.FetchAsync(fetching, token);
                _memory.Keep(fetched);
                site.Counters.Count(data.Name, TransferCounters.Ingress, fetched.Size, site.Time.GetElapsedTime(began));
                Interlocked.Increment(ref _fetched);
            }, cancellationToken);
        }

        download.Tidy(wanted);
    }

    private async Task DoAsync<T>(List<string> told, string what, IReadOnlyList<T> all, Func<T, long> size, Func<T, string> name, Func<T, CancellationToken, Task> one, CancellationToken cancellationToken)
    {
        var (failed, problems) = await Transfers.RunAsync(all, size, async (item, token) =>
        {
            try
            {
                await one(item, token);
                Save(force: false);
                return null;
            }
            catch (PieceChangedException)
            {
                Changed(name(item));
                return null;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or S3Exception { IsAboutTheBucket: false })
            {
                return $"{Checksums.Short(name(item))}: {exception.Message}";
            }
        }, cancellationToken);
        _failed += failed;
        told.AddRange(problems.Select(problem => $"{what}: {problem}"));
        if (failed > problems.Count)
            told.Add(FormattableString.Invariant($"{what}: and {failed - problems.Count} more"));
    }

    private async Task<Listing> ListAsync(DataRoute route, CancellationToken cancellationToken)
    {
        var listing = await site.Bucket.ListAsync(ObjectKeys.Prefix(route), Most, cancellationToken);
        if (listing.Objects.Count > 0 || route.Remote.Length == 0)
            return listing;
        // A route may also name one object; with that prefix it is the first.
        var one = await site.Bucket.ListAsync(route.Remote, 1, cancellationToken);
        return new Listing([.. one.Objects.Where(found => found.Key == route.Remote)], IsWhole: true);
    }

    private void Changed(string path)
    {
        lock (_unsettled)
            _unsettled.Add(path);
    }

    private void Save(bool force)
    {
        if (!force && site.Time.GetElapsedTime(Interlocked.Read(ref _saved)) < BetweenSaves)
            return;
        Interlocked.Exchange(ref _saved, site.Time.GetTimestamp());
        try
        {
            _memory.Save();
            _remembered = true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The bucket is looked through again, which is no more than work.
            _remembered = false;
            LogNotKept(site.Logger, data.Name, exception.Message);
        }
    }

    private static bool IsBelow(DataRoute route, string path) => route.Local.Length == 0 || path == route.Local || path.StartsWith(route.Local + "/", StringComparison.Ordinal);

    private static string Label(DataRoute route) => route.Local.Length == 0 ? "/export" : "/export/" + route.Local;

    [LoggerMessage(Level = LogLevel.Information, Message = "data of {Workload}: {Sent} files sent, {Fetched} fetched")]
    private static partial void LogRound(ILogger logger, string workload, int sent, int fetched);

    [LoggerMessage(Level = LogLevel.Warning, Message = "what is known of the data of {Workload} cannot be kept: {Problem}")]
    private static partial void LogNotKept(ILogger logger, string workload, string problem);
}
