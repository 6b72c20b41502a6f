using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;

namespace Flotta.Kube;

/// <summary>In what something was said that may arrive more than once, and how often it was said in it. Null: it arrives once.</summary>
public readonly record struct EventReport(string? Id, int Count = 1);

/// <summary>
/// Writes core/v1 Events. The same word about the same object becomes a higher count of one Event, also across replicas and restarts:
/// an Event's name follows from what it says. Many different words for the same reason become one Event too, which says the latest of them: a workload
/// that fails every few seconds with a number in its message must not fill the API server, nor a device that makes up reasons. What was said in a report
/// that may be sent again is counted once for each report, whoever receives it: the Event remembers the last reports that are in its count. When a method
/// returns, the Event is stored.
/// </summary>
public sealed class EventRecorder(KubeApi api, string component, string instance, TimeProvider time)
{
    public const string Normal = "Normal";
    public const string Warning = "Warning";

    private const int Attempts = 5;
    private const int LongestMessage = 1024;
    private const int Remembered = 4096;
    private const string Combined = "(combined from similar events): ";
    private const string ManyReasons = "ManyReasons";

    // How many reports an Event remembers: a device that names its events sends so many at once, and the next when these are answered.
    private const int ReportsRemembered = 32;
    private const string Counted = "flotta/counted-reports";

    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);
    private readonly EventFlood flood = new(time);
    private readonly Lock gate = new();
    private long paused;
    private TimeSpan pause;

    // What we believe an Event's count and resourceVersion to be; only saves a read.
    private readonly ConcurrentDictionary<ObjectKey, Corev1Event> known = new();

    // Events of many words that were not there when this process asked for the first time; those that came since are known.
    private readonly ConcurrentDictionary<ObjectKey, byte> absent = new();

    public Task RecordAsync<T>(T about, string type, string reason, string message, CancellationToken cancellationToken)
        where T : IKubernetesObject<V1ObjectMeta>
    {
        var reference = new V1ObjectReference
        {
            ApiVersion = KubeKind<T>.ApiVersion,
            Kind = KubeKind<T>.Entity.Kind,
            Name = about.Metadata.Name,
            NamespaceProperty = about.Metadata.NamespaceProperty,
            Uid = about.Metadata.Uid,
        };
        return RecordAsync(reference, type, reason, message, [new EventReport(null)], cancellationToken);
    }

    /// <param name="reports">How often it was said, and in what; those that are in the Event's count already are not counted again.</param>
    public async Task RecordAsync(
        V1ObjectReference about, string type, string reason, string message, IReadOnlyList<EventReport> reports, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(about);
        ArgumentNullException.ThrowIfNull(message);
        ArgumentNullException.ThrowIfNull(reports);
        // Who says something else meanwhile comes to the same server, and is told what it told the others.
        if (Pause() is { } left)
            throw new KubeException(HttpStatusCode.TooManyRequests, "TooManyRequests", "the API server has asked for a pause, and gets no Events until it is over", left);
        try
        {
            await StoreAsync(about, type, reason, message, reports, cancellationToken);
        }
        catch (KubeException later) when (later is { IsTemporary: true, RetryAfter: { } asked })
        {
            PauseFor(asked);
            throw;
        }
    }

    private TimeSpan? Pause()
    {
        lock (gate)
            return pause - time.GetElapsedTime(paused) is var left && left > TimeSpan.Zero ? left : null;
    }

    private void PauseFor(TimeSpan asked)
    {
        lock (gate)
            (paused, pause) = (time.GetTimestamp(), asked < LongestPause ? asked : LongestPause);
    }

    private async Task StoreAsync(
        V1ObjectReference about, string type, string reason, string message, IReadOnlyList<EventReport> reports, CancellationToken cancellationToken)
    {
        var flooding = flood.Of(about.Uid ?? about.Name, type, reason, message);
        var similar = flooding != Flooding.None;
        if (flooding == Flooding.Reasons)
            (reason, message) = (ManyReasons, $"{reason}: {message}");
        var combined = Shortened(Combined + message);
        message = similar ? combined : Shortened(message);
        ObjectKey Key(string text) => new(string.IsNullOrEmpty(about.NamespaceProperty) ? "default" : about.NamespaceProperty, NameOf(about, type, reason, text));
        var key = Key(similar ? Combined : message);
        // One report may have several words that are combined; each of them counts.
        var said = reports.Select(report => (Mark: MarkOf(report, similar ? combined : null), report.Count)).ToList();
        if (!similar && said.Exists(one => one.Mark != null))
        {
            // Before a restart, or by another replica, it may have been one of many.
            var before = ReportsIn(await CombinedAsync(Key(Combined), cancellationToken));
            said = [.. said.Where((_, index) => MarkOf(reports[index], combined) is not { } mark || !before.Contains(mark, StringComparer.Ordinal))];
            if (said.Count == 0)
                return;
        }

        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var counted = known.TryGetValue(key, out var present) ? ReportsIn(present) : [];
                var news = said.Where(one => one.Mark == null || !counted.Contains(one.Mark, StringComparer.Ordinal)).ToList();
                if (news.Count == 0)
                    return;
                var count = news.Sum(one => one.Count);
                var marks = counted.Concat(news.Select(one => one.Mark).OfType<string>()).TakeLast(ReportsRemembered).ToList();
                var stored = present != null
                    ? await AgainAsync(key, present, similar ? message : null, count, marks, cancellationToken)
                    : await FirstAsync(key, about, type, reason, message, count, marks, cancellationToken);
                Know(key, stored);
                return;
            }
            catch (KubeException stale) when ((stale.IsConflict || stale.IsNotFound) && attempt < Attempts && known.ContainsKey(key))
            {
                // Counted by another replica meanwhile, or expired: read it anew.
                known.TryRemove(key, out _);
            }
            catch (KubeException taken) when (taken.IsConflict && attempt < Attempts)
            {
                if (await api.GetAsync<Corev1Event>(key, cancellationToken) is { } found)
                    Know(key, found);
            }
        }
    }

    private async Task<Corev1Event?> CombinedAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (known.TryGetValue(key, out var present) || absent.ContainsKey(key))
            return present;
        if (await api.GetAsync<Corev1Event>(key, cancellationToken) is { } found)
        {
            Know(key, found);
            return found;
        }

        if (absent.Count >= Remembered)
            absent.Clear();
        absent[key] = default;
        return null;
    }

    private static string? MarkOf(EventReport report, string? combined) =>
        string.IsNullOrEmpty(report.Id) ? null : Hash(combined == null ? report.Id : report.Id + '\n' + combined);

    private static string Shortened(string message) => message.Length > LongestMessage ? message[..(LongestMessage - 1)] + "…" : message;

    private Task<Corev1Event> FirstAsync(ObjectKey key, V1ObjectReference about, string type, string reason, string message, int count, List<string> marks, CancellationToken cancellationToken)
    {
        var now = Now();
        return api.CreateAsync(
            new Corev1Event
            {
                ApiVersion = "v1",
                Kind = "Event",
                Metadata = new V1ObjectMeta
                {
                    Name = key.Name,
                    NamespaceProperty = key.Namespace,
                    Annotations = marks.Count == 0 ? null : new Dictionary<string, string>(StringComparer.Ordinal) { [Counted] = string.Join(',', marks) },
                },
                InvolvedObject = about,
                Type = type,
                Reason = reason,
                Message = message,
                Count = count,
                FirstTimestamp = now,
                LastTimestamp = now,
                Source = new V1EventSource { Component = component, Host = instance },
                ReportingComponent = component,
                ReportingInstance = instance,
            },
            cancellationToken);
    }

    private Task<Corev1Event> AgainAsync(ObjectKey key, Corev1Event present, string? message, int count, List<string> marks, CancellationToken cancellationToken)
    {
        var metadata = new JsonObject { ["resourceVersion"] = present.Metadata.ResourceVersion };
        if (marks.Count > 0)
            metadata["annotations"] = new JsonObject { [Counted] = string.Join(',', marks) };
        var patch = new JsonObject
        {
            ["metadata"] = metadata,
            ["count"] = (present.Count ?? 1) + count,
            ["lastTimestamp"] = Now().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture),
        };
        if (message is not null)
            patch["message"] = message;
        return api.MergePatchAsync<Corev1Event>(key, patch, cancellationToken);
    }

    private static string[] ReportsIn(Corev1Event? present) =>
        present?.Metadata.Annotations?.TryGetValue(Counted, out var marks) == true ? marks.Split(',', StringSplitOptions.RemoveEmptyEntries) : [];

    private void Know(ObjectKey key, Corev1Event stored)
    {
        if (known.Count >= Remembered)
            known.Clear(); // costs one read per Event that comes again
        known[key] = stored;
    }

    private DateTime Now()
    {
        var now = time.GetUtcNow().UtcDateTime;
        return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerSecond));
    }

    private string NameOf(V1ObjectReference about, string type, string reason, string message)
    {
        var said = string.Join('\n', about.ApiVersion, about.Kind, about.Name, about.Uid, type, reason, message, component);
        var name = about.Name.Length > 200 ? about.Name[..200].TrimEnd('.', '-') : about.Name;
        return name + "." + Hash(said);
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
}
