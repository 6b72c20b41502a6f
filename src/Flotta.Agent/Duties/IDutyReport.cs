using Flotta.Agent.Heartbeats;
using Flotta.Wire;

namespace Flotta.Agent.Duties;

/// <summary>How a duty tells the server, and with it people, what became of it.</summary>
internal interface IDutyReport
{
    void Warn(string reason, string message);

    void Info(string reason, string message);
}

/// <summary>As an event of the next heartbeat.</summary>
internal sealed class HeartbeatReport(EventQueue events) : IDutyReport
{
    public void Warn(string reason, string message) => events.Add(reason, message, EventTypes.Warn);

    public void Info(string reason, string message) => events.Add(reason, message, EventTypes.Info);
}
