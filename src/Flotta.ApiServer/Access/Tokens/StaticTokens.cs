using Microsoft.Extensions.Logging;

namespace Flotta.ApiServer.Access.Tokens;

/// <summary>People's tokens as the file has them now: a token that is added or taken away counts from the next request on.</summary>
internal sealed class StaticTokens
{
    private readonly string file;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Lock gate = new();
    private volatile Snapshot latest;

    /// <exception cref="ApiServerStartException">The file cannot be read.</exception>
    public StaticTokens(string file, TimeProvider time, ILogger logger)
    {
        this.file = file;
        this.time = time;
        this.logger = logger;
        try
        {
            latest = Load(Stamp());
        }
        catch (Exception e) when (e is IOException or FormatException or UnauthorizedAccessException)
        {
            throw new ApiServerStartException($"The tokens in {file} cannot be read ({e.Message.TrimEnd('.')}): put a backup in its place, or delete it, and its tokens end.", e);
        }
    }

    public Caller? Find(string token) =>
        Current().ByHash.TryGetValue(StaticToken.HashOf(token), out var found) && time.GetUtcNow() < found.Until ? found.Caller : null;

    private Snapshot Current()
    {
        // Asking the file system for the time of a change takes a microsecond or two, once a request.
        var stamp = Stamp();
        if (latest.Stamp == stamp)
            return latest;
        lock (gate)
        {
            if (latest.Stamp == stamp)
                return latest;
            try
            {
                latest = Load(stamp);
            }
            catch (Exception e) when (e is IOException or FormatException or UnauthorizedAccessException)
            {
                // The last good one stays; said once for each change.
                AccessLog.TokensUnreadable(logger, e, file);
                latest = latest with { Stamp = stamp };
            }

            return latest;
        }
    }

    private (DateTime Written, long Length) Stamp()
    {
        var info = new FileInfo(file);
        return info.Exists ? (info.LastWriteTimeUtc, info.Length) : default;
    }

    private Snapshot Load((DateTime Written, long Length) stamp)
    {
        var known = new Dictionary<string, (Caller Caller, DateTimeOffset Until)>(StringComparer.Ordinal);
        foreach (var one in TokenFile.Read(file))
            known[one.Hash] = (new Caller(one.User, [.. one.Groups.Append(Caller.Authenticated).Distinct(StringComparer.Ordinal)]), one.Until);
        return new Snapshot(stamp, known);
    }

    private sealed record Snapshot((DateTime Written, long Length) Stamp, IReadOnlyDictionary<string, (Caller Caller, DateTimeOffset Until)> ByHash);
}
