namespace Flotta.EdgeApi;

/// <summary>For what a whole fleet can make happen at once: counted each time, told every ten seconds.</summary>
internal sealed class Sparingly(TimeProvider time)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);

    private readonly Lock gate = new();
    private long told;
    private int count;

    /// <summary>How many there were since the last answer, this one included; null when it is not time to tell.</summary>
    public int? Count()
    {
        lock (gate)
        {
            count++;
            if (told != 0 && time.GetElapsedTime(told) < Every)
                return null;
            told = time.GetTimestamp();
            var since = count;
            count = 0;
            return since;
        }
    }
}
