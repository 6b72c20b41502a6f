using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Flotta.Kube;

public sealed record LeaseHolderOptions
{
    public required string Namespace { get; init; }

    public required string Name { get; init; }

    /// <summary>Who holds it; unique among all processes that could.</summary>
    public required string Identity { get; init; }

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Asked for at every renewal.</summary>
    public Func<IReadOnlyDictionary<string, string>> Annotations { get; init; } = static () => new Dictionary<string, string>(StringComparer.Ordinal);

    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan RenewEvery { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>
/// Holds one Lease: takes it where it is free, expired or our own already, renews it, and gives it back when stopped. For electing one of
/// several replicas, and for a replica that only wants to be seen alive. Another's lease counts as expired when it has not
/// changed for its duration on our own clock: clocks of different machines are never compared.
/// </summary>
public sealed partial class LeaseHolder(KubeApi api, LeaseHolderOptions options, ILoggerFactory loggers, TimeProvider time)
{
    private readonly ILogger logger = loggers.CreateLogger<LeaseHolder>();
    private readonly ObjectKey key = new(options.Namespace, options.Name);
    private (string Version, long Seen) other;
    private long renewed;
    private long renewedAt;
    private bool held;

    /// <summary>True while we hold it and a renewal has succeeded within its duration.</summary>
    public bool IsHeld => Volatile.Read(ref held) && time.GetElapsedTime(Interlocked.Read(ref renewed)) < options.Duration;

    /// <summary>
    /// For how long nobody else can have it; nothing when it is not ours. The time of day counts as well: that of a machine that slept goes on when it wakes,
    /// while its monotonic clock stood still.
    /// </summary>
    public TimeSpan Left
    {
        get
        {
            if (!Volatile.Read(ref held))
                return TimeSpan.Zero;
            var since = time.GetElapsedTime(Interlocked.Read(ref renewed));
            var slept = TimeSpan.FromTicks(time.GetUtcNow().UtcTicks - Interlocked.Read(ref renewedAt));
            return options.Duration - (since > slept ? since : slept);
        }
    }

    /// <summary>True once we have held it.</summary>
    public bool WasHeld => Interlocked.Read(ref renewed) != 0;

    /// <summary>Raised with true when we get it and false when we lose it.</summary>
    public event Action<bool>? Changed;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var wait = options.RenewEvery * (0.9 + (0.2 * Random.Shared.NextDouble()));
            try
            {
                // An attempt that hangs must not outlive what it wants to renew.
                using var patience = new CancellationTokenSource(options.Duration / 2, time);
                using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
                Set(await TryHoldAsync(both.Token));
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception error)
            {
                LogFailed(key, error.Message);
                if (!IsHeld)
                    Set(false);
                if ((error as KubeException)?.RetryAfter is { } asked && asked > wait)
                    wait = asked;
            }

            await Task.Delay(wait, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await ReleaseAsync();
    }

    private async Task<bool> TryHoldAsync(CancellationToken cancellationToken)
    {
        var (started, startedAt) = (time.GetTimestamp(), time.GetUtcNow().UtcTicks);
        try
        {
            var lease = await api.GetAsync<V1Lease>(key, cancellationToken);
            if (lease == null)
                await api.CreateAsync(Ours(), cancellationToken);
            else if (IsFree(lease))
                await api.ReplaceAsync(Ours(lease), cancellationToken);
            else
                return false;
            Interlocked.Exchange(ref renewedAt, startedAt);
            Interlocked.Exchange(ref renewed, started);
            return true;
        }
        catch (KubeException conflict) when (conflict.IsConflict)
        {
            return false;
        }
    }

    private bool IsFree(V1Lease lease)
    {
        var holder = lease.Spec?.HolderIdentity;
        if (string.IsNullOrEmpty(holder) || string.Equals(holder, options.Identity, StringComparison.Ordinal))
            return true;
        var version = lease.Metadata.ResourceVersion ?? "";
        if (!string.Equals(other.Version, version, StringComparison.Ordinal))
            other = (version, time.GetTimestamp());
        return time.GetElapsedTime(other.Seen) > TimeSpan.FromSeconds(lease.Spec?.LeaseDurationSeconds ?? options.Duration.TotalSeconds);
    }

    private V1Lease Ours(V1Lease? present = null)
    {
        var now = Now();
        var mine = string.Equals(present?.Spec?.HolderIdentity, options.Identity, StringComparison.Ordinal);
        var metadata = present?.Metadata ?? new V1ObjectMeta
        {
            Name = options.Name,
            NamespaceProperty = options.Namespace,
            Labels = new Dictionary<string, string>(options.Labels, StringComparer.Ordinal),
        };
        foreach (var (name, value) in options.Annotations())
        {
            metadata.Annotations ??= new Dictionary<string, string>(StringComparer.Ordinal);
            metadata.Annotations[name] = value;
        }

        return new V1Lease
        {
            ApiVersion = KubeKind<V1Lease>.ApiVersion,
            Kind = KubeKind<V1Lease>.Entity.Kind,
            Metadata = metadata,
            Spec = new V1LeaseSpec
            {
                HolderIdentity = options.Identity,
                LeaseDurationSeconds = (int)options.Duration.TotalSeconds,
                AcquireTime = mine ? Micro(present!.Spec.AcquireTime) ?? now : now,
                RenewTime = now,
                LeaseTransitions = (present?.Spec?.LeaseTransitions ?? 0) + (mine || present == null ? 0 : 1),
            },
        };
    }

    private DateTime Now() => Micro(time.GetUtcNow().UtcDateTime)!.Value;

    // MicroTime wants exactly six digits of the second; the client writes none for a whole second, so there is never a whole one.
    private static DateTime? Micro(DateTime? at)
    {
        if (at is not { } moment)
            return null;
        moment = moment.AddTicks(-(moment.Ticks % TimeSpan.TicksPerMicrosecond));
        return moment.Ticks % TimeSpan.TicksPerSecond == 0 ? moment.AddMicroseconds(1) : moment;
    }

    private async Task ReleaseAsync()
    {
        if (!IsHeld)
            return;
        try
        {
            // Bounded: stopping must not hang on a server that is gone too.
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(3), time);
            var lease = await api.GetAsync<V1Lease>(key, patience.Token);
            if (string.Equals(lease?.Spec?.HolderIdentity, options.Identity, StringComparison.Ordinal))
            {
                await api.MergePatchAsync<V1Lease>(
                    key,
                    new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = lease!.Metadata.ResourceVersion }, ["spec"] = new JsonObject { ["holderIdentity"] = "" } },
                    patience.Token);
            }
        }
        catch (Exception error)
        {
            LogFailed(key, error.Message);
        }

        Set(false);
    }

    private void Set(bool now)
    {
        if (Interlocked.Exchange(ref held, now) == now)
            return;
        LogChanged(key, now ? "held" : "not held");
        Changed?.Invoke(now);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Lease {Key} is now {State}")]
    private partial void LogChanged(ObjectKey key, string state);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Lease {Key}: {Error}")]
    private partial void LogFailed(ObjectKey key, string error);
}
