using System.Security.Cryptography;
using Flotta.Agent.Outbox;
using Flotta.Wire;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Flotta.Agent.Heartbeats;

/// <summary>Events of the agent and of its workloads, kept on disk until a heartbeat that carried them was answered.</summary>
internal sealed class EventQueue(string? path = null, ILogger<EventQueue>? logger = null, TimeProvider? time = null, int most = 200)
{
    private readonly DurableQueue<DeviceEvent> _queue = new(path, WireJson.Types.DeviceEvent, logger ?? (ILogger)NullLogger.Instance, time ?? TimeProvider.System, most);

    /// <summary>What one heartbeat carries: as many as the server still knows when they come a second time.</summary>
    public const int MostAtOnce = 32;

    /// <summary>It has a name from the start, since an agent that is killed sends it again in another heartbeat.</summary>
    public void Add(string reason, string message, string type) =>
        _queue.Add(new DeviceEvent { Reason = reason, Message = message, Type = type, Id = RandomNumberGenerator.GetHexString(16, lowercase: true) });

    /// <summary>The oldest, for one heartbeat.</summary>
    public Waiting<DeviceEvent> Peek() => _queue.Peek(MostAtOnce);

    public void Done(Waiting<DeviceEvent> told) => _queue.Done(told);

    /// <summary>As a heartbeat carries them: what had to be dropped is an event of its own, before the others.</summary>
    public static IReadOnlyList<DeviceEvent> Told(Waiting<DeviceEvent> waiting)
    {
        if (waiting.Dropped == 0)
            return waiting.Entries;
        var gap = new DeviceEvent
        {
            Reason = "EventsDropped",
            Message = FormattableString.Invariant($"{waiting.Dropped} earlier events were dropped, the first at {waiting.DroppedSince:u}, while the server could not be reached"),
            Type = EventTypes.Warn,
            Id = FormattableString.Invariant($"dropped-{waiting.DroppedSince?.ToUnixTimeMilliseconds():x}-{waiting.Dropped}"),
        };
        return [gap, .. waiting.Entries];
    }
}
