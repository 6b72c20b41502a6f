using System.Globalization;
using System.Text;
using Flotta.Agent.Files;

namespace Flotta.Agent.Logs;

/// <summary>
/// How far the logs of each container have been sent, over restarts of the agent. podman keeps the lines themselves, so what was read and not
/// sent is read again.
/// </summary>
internal sealed class LogPositions
{
    private readonly Lock _lock = new();
    private readonly string _file;
    private readonly Dictionary<string, DateTimeOffset> _sent = new(StringComparer.Ordinal);
    private readonly DateTimeOffset _otherwise;
    private bool _changed;

    /// <param name="otherwise">Where to begin with a container that nothing is known of, when nothing is known of any.</param>
    /// <param name="now">What is known to be later was written before the clock was set back: from here on lines are new again.</param>
    public LogPositions(string file, DateTimeOffset otherwise, DateTimeOffset now)
    {
        (_file, _otherwise) = (file, otherwise);
        try
        {
            foreach (var line in File.ReadAllLines(file))
            {
                if (line.Split(' ') is not [var id, var ticks] || !long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var at) || at >= DateTime.MaxValue.Ticks)
                    continue;
                _sent[id] = new DateTimeOffset(Math.Min(at, now.UtcTicks), TimeSpan.Zero);
                _changed |= at > now.UtcTicks;
            }

            // A container that was made while the agent was away has said nothing before that.
            if (_sent.Count > 0)
                _otherwise = _sent.Values.Max() is var last && last < otherwise ? last : otherwise;
        }
        catch (IOException)
        {
        }
    }

    public DateTimeOffset Of(string container)
    {
        lock (_lock)
            return _sent.GetValueOrDefault(container, _otherwise);
    }

    public void Sent(string container, DateTimeOffset time)
    {
        lock (_lock)
        {
            if (_sent.TryGetValue(container, out var before) && before >= time)
                return;
            _sent[container] = time;
            _changed = true;
        }
    }

    /// <summary>Forgets containers that are gone, and writes what has changed.</summary>
    /// <exception cref="IOException">The disk is full, for one. The next one writes it.</exception>
    public void Save(IReadOnlySet<string> containers)
    {
        lock (_lock)
        {
            foreach (var gone in _sent.Keys.Where(id => !containers.Contains(id)).ToList())
                _changed |= _sent.Remove(gone);
            if (!_changed)
                return;
            DurableFile.Write(_file, Encoding.ASCII.GetBytes(string.Concat(_sent.Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Key} {one.Value.UtcTicks}\n")))));
            _changed = false;
        }
    }
}
