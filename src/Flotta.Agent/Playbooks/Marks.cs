using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Flotta.Agent.Playbooks;

/// <summary>
/// The processes of a run: those that have its mark in their environment, everything in their sessions, and all that these started. Found in /proc, so also after the
/// agent that started them was killed; a mark is random, so nobody else's process is ever taken for one of them.
/// </summary>
internal static partial class Marks
{
    public const string Variable = "FLOTTA_PLAYBOOK_RUN";
    private const int Terminate = 15;
    private const int Kill = 9;
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static string New() => Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(16));

    /// <summary>Asks them to end, then ends them.</summary>
    /// <returns>Whether none is left.</returns>
    public static async Task<bool> EndAsync(string mark, TimeProvider time)
    {
        var began = time.GetTimestamp();
        var found = Find(mark);
        foreach (var process in found)
            _ = SendSignal(process, Terminate);
        while (found.Count > 0 && time.GetElapsedTime(began) < Patience)
        {
            await Task.Delay(Between, time);
            // Those found before may have lost their parents meanwhile, by which they would be found.
            found = [.. Find(mark).Concat(found.Where(IsThere)).Distinct()];
            if (time.GetElapsedTime(began) < Grace)
                continue;
            foreach (var process in found)
                _ = SendSignal(process, Kill);
        }

        return found.Count == 0;
    }

    public static IReadOnlyList<int> Find(string mark)
    {
        var wanted = Encoding.ASCII.GetBytes($"{Variable}={mark}");
        var all = Directory.EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), out var id) ? id : 0)
            .Where(id => id > 0 && id != Environment.ProcessId)
            .Select(id => (Id: id, Stat: Stat(id)))
            .Where(one => one.Stat is not null)
            .ToList();
        var found = all.Where(one => HasMark(one.Id, wanted)).Select(one => one.Id).ToHashSet();
        if (found.Count == 0)
            return [];
        var own = Stat(Environment.ProcessId)?.Session;
        var sessions = all.Where(one => found.Contains(one.Id) && one.Stat!.Value.Session != own).Select(one => one.Stat!.Value.Session).ToHashSet();
        found.UnionWith(all.Where(one => sessions.Contains(one.Stat!.Value.Session)).Select(one => one.Id));
        while (all.Where(one => found.Contains(one.Stat!.Value.Parent) && found.Add(one.Id)).ToList().Count > 0)
        {
            // Children of children.
        }

        return [.. found];
    }

    private static bool IsThere(int id) => Stat(id) is not null;

    // "pid (any name) state ppid pgrp session ..."; one that has ended and was not waited for is not there.
    private static (int Parent, int Session)? Stat(int id)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{id}/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : (int.Parse(fields[1], System.Globalization.CultureInfo.InvariantCulture), int.Parse(fields[3], System.Globalization.CultureInfo.InvariantCulture));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or IndexOutOfRangeException or FormatException or ArgumentOutOfRangeException)
        {
            return null;
        }
    }

    private static bool HasMark(int id, byte[] wanted)
    {
        try
        {
            // The files of /proc have no length.
            using SafeFileHandle file = File.OpenHandle($"/proc/{id}/environ");
            var buffer = new byte[128 << 10];
            var length = 0;
            for (int count; length < buffer.Length && (count = RandomAccess.Read(file, buffer.AsSpan(length), length)) > 0; length += count)
            {
                // More of it.
            }

            return buffer.AsSpan(0, length).IndexOf(wanted) >= 0;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int process, int signal);
}
