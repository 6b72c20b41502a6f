using System.Globalization;
using System.Text;
using Flotta.Agent.Files;

namespace Flotta.Agent.DataSync;

/// <summary>A file and an object that are the same: the file as it was (size and time), the object by its ETag.</summary>
internal sealed record Synced(string Path, string Key, long Size, long Modified, string ETag);

/// <summary>
/// What is known of one workload's files and the bucket, on disk, so that neither has to be looked through to find out that nothing changed. Both
/// directions share it: what came from the bucket is not sent back to the same place. Losing it costs one look into the bucket.
/// </summary>
internal sealed class SyncMemory
{
    private readonly Lock _lock = new();
    private readonly string _file;
    private readonly string _bucket;
    private readonly Dictionary<(string Path, string Key), Synced> _entries = [];
    private bool _changed;

    private SyncMemory(string file, string bucket) => (_file, _bucket) = (file, bucket);

    /// <summary>Nothing is remembered: then somebody has to look.</summary>
    public bool IsNew { get; private set; } = true;

    /// <summary>What was sent, so that the last of it can be when the workload is gone.</summary>
    public IReadOnlyList<DataRoute> Egress { get; private set; } = [];

    public static SyncMemory Load(string file, string bucket)
    {
        var memory = new SyncMemory(file, bucket);
        try
        {
            if (File.Exists(file))
                memory.Read(File.ReadLines(file));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // As if it were not there.
        }

        return memory;
    }

    public IReadOnlyList<Synced> Entries
    {
        get
        {
            lock (_lock)
                return [.. _entries.Values];
        }
    }

    public Synced? Find(string path, string key)
    {
        lock (_lock)
            return _entries.GetValueOrDefault((path, key));
    }

    public void Keep(Synced synced)
    {
        lock (_lock)
        {
            _entries[(synced.Path, synced.Key)] = synced;
            _changed = true;
        }
    }

    public void KeepRoutes(IReadOnlyList<DataRoute> egress)
    {
        lock (_lock)
        {
            _changed |= IsNew || Egress.Count != egress.Count || !Egress.Zip(egress).All(pair => Line(pair.First) == Line(pair.Second));
            Egress = egress;
        }
    }

    /// <summary>Forgets files that are gone.</summary>
    public void Forget(Func<string, string, bool> gone)
    {
        lock (_lock)
        {
            foreach (var entry in _entries.Keys.Where(entry => gone(entry.Path, entry.Key)).ToList())
                _changed |= _entries.Remove(entry);
        }
    }

    /// <exception cref="IOException">The disk is full, for one.</exception>
    public void Save()
    {
        lock (_lock)
        {
            if (!_changed)
                return;
            var text = new StringBuilder("bucket ").Append(_bucket).Append('\n');
            foreach (var route in Egress)
                text.Append(Line(route)).Append('\n');
            foreach (var (path, key, size, modified, tag) in _entries.Values)
                text.Append(CultureInfo.InvariantCulture, $"same {Escape(path)} {Escape(key)} {size} {modified} {Escape(tag)}\n");
            DurableFile.Write(_file, Encoding.ASCII.GetBytes(text.ToString()));
            (_changed, IsNew) = (false, false);
        }
    }

    private void Read(IEnumerable<string> lines)
    {
        var (ours, egress) = (false, new List<DataRoute>());
        foreach (var line in lines)
        {
            switch (line.Split(' '))
            {
                case ["bucket", var bucket]:
                    ours = bucket == _bucket;
                    break;
                case ["egress", var local, var remote, var into, .. var exclude]:
                    egress.Add(new DataRoute(Plain(local), Plain(remote), [.. exclude.Select(Plain)]) { IntoFolder = into == "into" });
                    break;
                // Of another bucket all that counts is what was to be sent.
                case ["same", var path, var key, var size, var modified, var tag] when ours && long.TryParse(size, CultureInfo.InvariantCulture, out var bytes) && long.TryParse(modified, CultureInfo.InvariantCulture, out var time):
                    var synced = new Synced(Plain(path), Plain(key), bytes, time, Plain(tag));
                    _entries[(synced.Path, synced.Key)] = synced;
                    break;
            }
        }

        (IsNew, Egress) = (!ours, egress);
    }

    private static string Line(DataRoute route) =>
        string.Join(' ', ["egress", Escape(route.Local), Escape(route.Remote), route.IntoFolder ? "into" : "as", .. route.Exclude.Select(Escape)]);

    private static string Escape(string text) => Uri.EscapeDataString(text);

    private static string Plain(string text) => Uri.UnescapeDataString(text);
}
