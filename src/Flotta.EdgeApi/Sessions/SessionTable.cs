using System.Collections.Concurrent;
using Flotta.Kube;

namespace Flotta.EdgeApi.Sessions;

/// <summary>The sessions of this replica. They begin with a device's first admitted request and end with the device.</summary>
internal sealed class SessionTable(EdgeApiOptions options, TimeProvider time)
{
    private readonly ConcurrentDictionary<ObjectKey, Session> sessions = new();

    public int Count => sessions.Count;

    /// <summary>For the rendered configurations of all sessions together.</summary>
    public MemoryBudget Rendered { get; } = new(options.MaxRenderedBytes);

    public IEnumerable<Session> All => sessions.Select(entry => entry.Value);

    public Session For(ObjectKey device) => sessions.TryGetValue(device, out var session) ? session : sessions.GetOrAdd(device, New);

    public Session? Find(ObjectKey device) => sessions.GetValueOrDefault(device);

    public void Remove(ObjectKey device)
    {
        if (!sessions.TryRemove(device, out var session))
            return;
        session.Invalidate();
        session.End(Rendered);
    }

    private Session New(ObjectKey device) =>
        new(device, new RateLimit(options.RequestsPerSecond, options.RequestsPerSecond * 10, time), time.GetTimestamp());
}
