using Flotta.Wire;

namespace Flotta.Agent.Heartbeats;

/// <summary>What the next heartbeat says of playbooks. Whoever runs them sets it; it stays until it is set anew.</summary>
internal sealed class PlaybookReports
{
    private volatile IReadOnlyList<PlaybookExecutionStatus> _now = [];

    /// <summary>There is something new to say.</summary>
    public event Action? Changed;

    /// <summary>The server has taken it.</summary>
    public event Action<IReadOnlyList<PlaybookExecutionStatus>>? Told;

    public IReadOnlyList<PlaybookExecutionStatus> Now => _now;

    public void Set(IReadOnlyList<PlaybookExecutionStatus> reports)
    {
        if (_now.SequenceEqual(reports))
            return;
        _now = reports;
        Changed?.Invoke();
    }

    public void Done(IReadOnlyList<PlaybookExecutionStatus> told)
    {
        if (told.Count > 0)
            Told?.Invoke(told);
    }
}
