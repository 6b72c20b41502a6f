using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Flotta.Agent.Files;

namespace Flotta.Agent.Metrics;

/// <summary>How much is kept. Whatever is older or more goes, the oldest first and a segment at a time, sent or not.</summary>
internal sealed record Retention(TimeSpan Age, long Bytes)
{
    public static Retention Default { get; } = new(TimeSpan.FromDays(7), 100 << 20);

    public long SegmentBytes => Math.Clamp(Bytes / 16, 16 << 10, 1 << 20);
}

/// <param name="Next">Where the reader stands once this has arrived.</param>
internal sealed record Batch(IReadOnlyList<StoredSample> Samples, Position Next);

[StructLayout(LayoutKind.Auto)]
internal readonly record struct Position(long Segment, long Offset);

/// <summary>
/// Samples between scrape and receiver, on disk: one writer, one reader, and a cursor that says what has arrived. Every start begins a new
/// segment, so a crash costs at most the record that was being written.
/// </summary>
internal sealed class SampleLog : IDisposable
{
    private const int SamplesPerRecord = 500;
    private static readonly TimeSpan BetweenSyncs = TimeSpan.FromMinutes(1);
    private readonly Lock _lock = new();
    private readonly string _folder;
    private readonly TimeProvider _time;
    private readonly SortedList<long, long> _sizes = [];
    private readonly Dictionary<long, long> _ends = [];
    private readonly ArrayBufferWriter<byte> _record = new();
    private Retention _retention;
    private FileStream? _writing;
    private SampleCodec _writer = new();
    private FileStream? _reading;
    private SampleCodec _reader = new();
    private Position _cursor;
    private Position _read;
    private long _synced;
    private long _begun;
    private long _lost;

    public SampleLog(string folder, Retention retention, TimeProvider time)
    {
        (_folder, _retention, _time) = (folder, retention, time);
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (var number in SegmentFile.List(folder))
            _sizes[number] = new FileInfo(SegmentFile.Path(folder, number)).Length;
        if (_sizes.Count > 0)
            CutTail(_sizes.Keys[^1]);
        _cursor = _read = ReadCursor();
        _synced = time.GetTimestamp();
    }

    /// <summary>Samples that were dropped, unsent, since this was asked last.</summary>
    public long TakeLost() => Interlocked.Exchange(ref _lost, 0);

    public long Bytes
    {
        get
        {
            lock (_lock)
                return _sizes.Values.Sum();
        }
    }

    public void Retain(Retention retention)
    {
        lock (_lock)
        {
            _retention = retention;
            Trim();
        }
    }

    public void Append(long time, IReadOnlyList<Sample> samples)
    {
        lock (_lock)
        {
            foreach (var part in samples.Chunk(SamplesPerRecord))
            {
                try
                {
                    Append(time, part);
                }
                catch (IOException)
                {
                    // A full disk: what was begun is cut off at the next start, or when it is read.
                    _lost += part.Length;
                    EndSegment();
                }
            }

            Trim();
        }
    }

    /// <summary>The next samples to send, in order; null when all have been read.</summary>
    /// <param name="most">At least one record is returned, however many samples it holds.</param>
    public Batch? Read(int most)
    {
        lock (_lock)
        {
            var samples = new List<StoredSample>();
            while (samples.Count + SamplesPerRecord <= most || samples.Count == 0)
            {
                if (NextRecord() is not { } more)
                    break;
                samples.AddRange(more);
            }

            return samples.Count == 0 ? null : new Batch(samples, _read);
        }
    }

    /// <summary>It has arrived, or never will: it is not read again, after a restart either.</summary>
    public void Acknowledge(Position position)
    {
        lock (_lock)
        {
            _cursor = position;
            DurableFile.Write(CursorPath, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{position.Segment} {position.Offset}\n")));
            while (_sizes.Count > 0 && _sizes.Keys[0] < position.Segment)
                Remove(_sizes.Keys[0]);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            EndSegment();
            _reading?.Dispose();
            _reading = null;
        }
    }

    private string CursorPath => Path.Combine(_folder, "cursor");

    private void Append(long time, Sample[] samples)
    {
        if (_writing is null || _writing.Length >= _retention.SegmentBytes || _time.GetElapsedTime(_begun) > _retention.Age / 8)
            BeginSegment();
        _record.ResetWrittenCount();
        _record.GetSpan(SegmentFile.RecordHeadBytes)[..SegmentFile.RecordHeadBytes].Clear();
        _record.Advance(SegmentFile.RecordHeadBytes);
        _writer.Write(_record, time, samples);
        // The writer's own memory: sealed in place.
        var record = MemoryMarshal.AsMemory(_record.WrittenMemory).Span;
        SegmentFile.Seal(record);
        _writing!.Write(record);
        _sizes[_sizes.Keys[^1]] = _writing.Length;
        _ends[_sizes.Keys[^1]] = time;
        if (_time.GetElapsedTime(_synced) >= BetweenSyncs)
        {
            _writing.Flush(flushToDisk: true);
            _synced = _time.GetTimestamp();
        }
    }

    private void BeginSegment()
    {
        EndSegment();
        var number = Math.Max(_sizes.Count == 0 ? 0 : _sizes.Keys[^1], _cursor.Segment) + 1;
        _writing = SegmentFile.Create(SegmentFile.Path(_folder, number), _time.GetUtcNow().ToUnixTimeMilliseconds());
        _writer = new SampleCodec();
        _begun = _time.GetTimestamp();
        _sizes[number] = SegmentFile.HeadBytes;
    }

    private void EndSegment()
    {
        if (_writing is null)
            return;
        try
        {
            _writing.Flush(flushToDisk: true);
        }
        catch (IOException)
        {
        }

        _writing.Dispose();
        _writing = null;
    }

    private IReadOnlyList<StoredSample>? NextRecord()
    {
        while (true)
        {
            if (_reading is null && !OpenNext())
                return null;
            if (Decoded() is { } samples)
            {
                _read = _read with { Offset = _reading!.Position };
                return samples;
            }

            // The end of the segment that is being written is where to wait; any other end leads to the next one.
            if (_sizes.Count == 0 || _read.Segment >= _sizes.Keys[^1])
                return null;
            _reading!.Dispose();
            _reading = null;
            _read = new Position(_read.Segment + 1, 0);
        }
    }

    private IReadOnlyList<StoredSample>? Decoded()
    {
        try
        {
            return SegmentFile.Next(_reading!) is { } payload ? _reader.Read(payload) : null;
        }
        catch (InvalidDataException)
        {
            // Whole by its checksum and yet not ours: nothing behind it can be told apart.
            _reading!.Position = _reading.Length;
            return null;
        }
    }

    private bool OpenNext()
    {
        foreach (var number in _sizes.Keys.Where(number => number >= _read.Segment).ToList())
        {
            var offset = number == _read.Segment ? _read.Offset : 0;
            _reading = new FileStream(SegmentFile.Path(_folder, number), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 4096);
            _reader = new SampleCodec();
            _read = new Position(number, Math.Max(offset, SegmentFile.HeadBytes));
            if (SegmentFile.MadeAt(_reading) is null)
            {
                _reading.Dispose();
                _reading = null;
                continue;
            }

            // What a sample says is said with what came before it in the segment.
            while (_reading.Position < _read.Offset && Decoded() is not null)
            {
            }

            return true;
        }

        return false;
    }

    private void Trim()
    {
        var oldest = _time.GetUtcNow().ToUnixTimeMilliseconds() - (long)_retention.Age.TotalMilliseconds;
        while (_sizes.Count > 1 && (_sizes.Values.Sum() > _retention.Bytes || EndOfFirst() < oldest))
        {
            var number = _sizes.Keys[0];
            _lost += Unsent(number);
            if (_read.Segment == number && _reading is not null)
            {
                _reading.Dispose();
                _reading = null;
                _read = new Position(number + 1, 0);
            }

            Remove(number);
        }
    }

    /// <summary>How young its youngest sample is, or may be: where that is not known, the beginning of the next segment bounds it.</summary>
    private long? EndOfFirst()
    {
        if (_ends.TryGetValue(_sizes.Keys[0], out var end))
            return end;
        var number = _sizes.Keys[1];
        using var file = File.OpenRead(SegmentFile.Path(_folder, number));
        return SegmentFile.MadeAt(file);
    }

    /// <summary>How many samples of a segment nobody has read yet. What was read and is being sent right now may still arrive.</summary>
    private long Unsent(long number)
    {
        if (number < _read.Segment)
            return 0;
        using var file = new FileStream(SegmentFile.Path(_folder, number), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        file.Position = number == _read.Segment ? Math.Max(_read.Offset, SegmentFile.HeadBytes) : SegmentFile.HeadBytes;
        long samples = 0;
        while (SegmentFile.Next(file) is { } payload)
            samples += SampleCodec.Count(payload);
        return samples;
    }

    private void Remove(long number)
    {
        File.Delete(SegmentFile.Path(_folder, number));
        _sizes.Remove(number);
        _ends.Remove(number);
    }

    private void CutTail(long number)
    {
        using var file = new FileStream(SegmentFile.Path(_folder, number), FileMode.Open, FileAccess.ReadWrite);
        if (SegmentFile.MadeAt(file) is null)
        {
            Remove(number);
            return;
        }

        while (SegmentFile.Next(file) is { } payload)
            _ends[number] = SampleCodec.Time(payload);
        if (file.Position < file.Length)
            file.SetLength(file.Position);
        _sizes[number] = file.Length;
    }

    private Position ReadCursor()
    {
        try
        {
            var parts = File.ReadAllText(CursorPath).Split(' ', StringSplitOptions.TrimEntries);
            if (parts.Length == 2 && long.TryParse(parts[0], CultureInfo.InvariantCulture, out var segment) && long.TryParse(parts[1], CultureInfo.InvariantCulture, out var offset) && segment >= 0 && offset >= 0)
                return new Position(segment, offset);
        }
        catch (IOException)
        {
            // The first start, or a lost file: from the beginning. A receiver takes the same sample twice as one.
        }

        return default;
    }
}
