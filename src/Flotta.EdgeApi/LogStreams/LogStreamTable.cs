using System.Security.Cryptography;
using Flotta.Kube;

namespace Flotta.EdgeApi.LogStreams;

/// <summary>The looks at logs that are under way at this replica.</summary>
internal sealed class LogStreamTable(LogLimits limits)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, LogStream> streams = new(StringComparer.Ordinal);

    public int Count
    {
        get
        {
            lock (gate)
                return streams.Count;
        }
    }

    /// <summary>A place, or why there is none.</summary>
    public (LogStream? Stream, string? Problem) Open(ObjectKey device, string person)
    {
        lock (gate)
        {
            if (streams.Count >= limits.PerReplica)
                return (null, $"{limits.PerReplica} looks at logs are under way at this replica of the Edge API already; try again later");
            if (streams.Values.Count(stream => stream.Person == person) >= limits.PerPerson)
                return (null, $"{person} looks at {limits.PerPerson} logs already; end one of them first");
            if (streams.Values.Count(stream => stream.Device == device) >= limits.PerDevice)
                return (null, $"the logs of {device.Name} are being looked at {limits.PerDevice} times already; try again later");
            var stream = new LogStream(RandomNumberGenerator.GetHexString(32, lowercase: true), device, person);
            streams.Add(stream.Name, stream);
            return (stream, null);
        }
    }

    public LogStream? Find(ObjectKey device, string name)
    {
        lock (gate)
            return streams.GetValueOrDefault(name) is { } stream && stream.Device == device ? stream : null;
    }

    public void Close(LogStream stream)
    {
        lock (gate)
            streams.Remove(stream.Name);
        stream.End();
    }
}
