using Flotta.Yggdrasil.Contract;
using Flotta.Yggdrasil.Grpc;
using Flotta.Yggdrasil.Workers;

namespace Flotta.Yggdrasil.Dispatch;

/// <summary>A worker that has registered.</summary>
/// <param name="StartedAt">With the pid it names one process for good.</param>
public sealed record RegisteredWorker(string Handler, SocketAddress Address, bool DetachedContent, IReadOnlyDictionary<string, string> Features, int Pid, string? StartedAt)
{
    public bool IsAlive => PidFile.StartedAt(Pid) is { } started && started == StartedAt;
}

/// <summary>Who handles what. One handler, one living worker; the place of one that has died is free.</summary>
public sealed class Registry
{
    private const int LongestHandler = 64;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, RegisteredWorker> _workers = new(StringComparer.Ordinal);

    /// <summary>Differs when the set of handlers does.</summary>
    public object Stamp
    {
        get
        {
            lock (_lock)
                return string.Join('\n', _workers.Values.OrderBy(worker => worker.Handler, StringComparer.Ordinal).Select(worker => $"{worker.Handler} {string.Join(',', worker.Features)}"));
        }
    }

    public event Action? Changed;

    public IReadOnlyList<RegisteredWorker> Workers
    {
        get
        {
            lock (_lock)
                return [.. _workers.Values];
        }
    }

    /// <summary>Null when the handler is somebody's, or is no name.</summary>
    public RegisteredWorker? Register(WorkerRegistration request, PeerCredentials peer, SocketAddress dispatcher)
    {
        if (!IsHandler(request.Handler))
            return null;
        RegisteredWorker worker;
        lock (_lock)
        {
            if (_workers.TryGetValue(request.Handler, out var before) && before.IsAlive && before.Pid != peer.Pid)
                return null;
            // The kernel's word for who it is, not the worker's.
            worker = new RegisteredWorker(request.Handler, dispatcher.Beside($"ygg-{request.Handler}-"), request.DetachedContent, request.Features, peer.Pid, PidFile.StartedAt(peer.Pid));
            _workers[request.Handler] = worker;
        }

        Changed?.Invoke();
        return worker;
    }

    public RegisteredWorker? Find(string handler)
    {
        lock (_lock)
            return _workers.GetValueOrDefault(handler);
    }

    /// <summary>Lets go of those whose process has ended.</summary>
    public void Sweep()
    {
        var changed = false;
        lock (_lock)
        {
            foreach (var worker in _workers.Values.Where(worker => !worker.IsAlive).ToList())
                changed |= _workers.Remove(worker.Handler);
        }

        if (changed)
            Changed?.Invoke();
    }

    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Dispatchers() =>
        Workers.ToDictionary(worker => worker.Handler, worker => worker.Features, StringComparer.Ordinal);

    // It becomes part of a path.
    private static bool IsHandler(string handler) =>
        handler.Length is > 0 and <= LongestHandler && handler.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.') && handler[0] != '.';
}
