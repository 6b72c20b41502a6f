using k8s.Models;

namespace Flotta.Operator.Devices;

/// <summary>
/// Whether an Edge API replica is alive, from its Lease. The clocks of two machines are never compared: a Lease is expired when our own
/// clock has seen no new version of it for its duration. One that is missing or given back counts from when we first missed it.
/// </summary>
internal sealed record ReplicaPulse(string? Version, TimeSpan Lasts, long Since)
{
    /// <summary>How long a replica without a Lease is believed in: its Lease may only be on its way to us.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(15);

    public static ReplicaPulse Feel(ReplicaPulse? before, V1Lease? lease, long now)
    {
        var held = !string.IsNullOrEmpty(lease?.Spec?.HolderIdentity);
        var version = held ? lease!.Metadata.ResourceVersion : null;
        var lasts = held ? TimeSpan.FromSeconds(Math.Max(1, lease!.Spec!.LeaseDurationSeconds ?? 30)) : Grace;
        return before is not null && before.Version == version ? before with { Lasts = lasts } : new(version, lasts, now);
    }

    /// <summary>Zero or less when the replica counts as dead.</summary>
    public TimeSpan Left(long now, TimeProvider time) => Lasts - time.GetElapsedTime(Since, now);
}
