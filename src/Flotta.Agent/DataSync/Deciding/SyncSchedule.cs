using System.Globalization;
using Flotta.Wire;

namespace Flotta.Agent.DataSync;

/// <summary>When data may be transferred, by the clock on the wall: pure functions of a time.</summary>
internal sealed record SyncSchedule(IReadOnlyList<(IReadOnlyList<DayOfWeek> Days, TimeOnly From, TimeOnly To)> Windows)
{
    private static readonly string[] Days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

    public static SyncSchedule Always { get; } = new([]);

    public static SyncSchedule Of(IReadOnlyList<SyncWindow>? windows, ICollection<string> problems)
    {
        var read = new List<(IReadOnlyList<DayOfWeek>, TimeOnly, TimeOnly)>();
        foreach (var window in windows ?? [])
        {
            var days = (window.Days ?? []).Select(day => Array.IndexOf(Days, day)).ToList();
            if (days.Contains(-1) || !IsTime(window.From, out var from) || !IsTime(window.To, out var to))
                problems.Add($"the window from {window.From} to {window.To} cannot be read and counts for nothing");
            else
                read.Add(([.. days.Select(day => (DayOfWeek)day)], from, to));
        }

        // Of windows that nobody can read none is ever open; that is told, and is better than a bill for a month of mobile data.
        return windows is { Count: > 0 } && read.Count == 0 ? new SyncSchedule([([], TimeOnly.MinValue, TimeOnly.MinValue)]) : new SyncSchedule(read);
    }

    public bool IsOpen(DateTime local) => Windows.Count == 0 || Windows.Any(window => IsOpen(window, local));

    /// <summary>How long it stays as it is, a week at the most.</summary>
    public TimeSpan UntilChange(DateTime local)
    {
        var now = IsOpen(local);
        var minute = local.AddTicks(-(local.Ticks % TimeSpan.TicksPerMinute));
        for (var ahead = 1; ahead <= 7 * 24 * 60; ahead++)
        {
            if (IsOpen(minute.AddMinutes(ahead)) != now)
                return minute.AddMinutes(ahead) - local;
        }

        return TimeSpan.FromDays(7);
    }

    private static bool IsOpen((IReadOnlyList<DayOfWeek> Days, TimeOnly From, TimeOnly To) window, DateTime local)
    {
        var time = TimeOnly.FromDateTime(local);
        bool On(DateTime day) => window.Days.Count == 0 || window.Days.Contains(day.DayOfWeek);
        return window.From < window.To
            ? time >= window.From && time < window.To && On(local)
            : window.From > window.To && ((time >= window.From && On(local)) || (time < window.To && On(local.AddDays(-1))));
    }

    private static bool IsTime(string? text, out TimeOnly time) => TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out time);
}
