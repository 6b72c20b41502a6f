namespace Flotta.EndToEnd;

/// <summary>A clock that programs are started with (libfaketime reads its file every second); what they time by the monotonic clock goes on as ever.</summary>
internal sealed class ShiftedClock
{
    private readonly string file;

    public ShiftedClock(string file)
    {
        this.file = file;
        Set(TimeSpan.Zero);
        Environment = new Dictionary<string, string>
        {
            ["LD_PRELOAD"] = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
            ["FAKETIME_TIMESTAMP_FILE"] = file,
            ["FAKETIME_CACHE_DURATION"] = "1",
            ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
            ["FAKETIME_DONT_RESET"] = "1",
        };
    }

    public IReadOnlyDictionary<string, string> Environment { get; }

    /// <summary>How far the programs' clock is ahead of the real one, from now on.</summary>
    public void Set(TimeSpan ahead)
    {
        File.WriteAllText(file + ".next", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{(long)ahead.TotalSeconds:+0;-0}\n"));
        File.Move(file + ".next", file, overwrite: true);
    }
}
