using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;

namespace Flotta.Kube;

/// <summary>
/// Writes core/v1 Events. The same word about the same object becomes a higher count of one Event, also across replicas and restarts:
/// an Event's name follows from what it says. Many different words for the same reason become one Event too, which says the latest of them: a workload
/// that fails every few seconds with a number in its message must not fill the API server. What was said in a report that may be sent again is counted once
/// for each report, whoever receives it: the Event remembers the last reports that are in its count. When a method returns, the Event is stored.
/// </summary>
public sealed class EventRecorder(KubeApi api, string component, string instance, TimeProvider time)
{
    public const string Normal = "Normal";
    public const string Warning = "Warning";

    private const int Attempts = 5;
    private const int LongestMessage = 1024;
    private const int Remembered = 4096;
    private const string Combined = "(combined from similar events): ";

    // A device sends one report at a time, and the next when the last is answered; a few more for whoever does not.
    private const int ReportsRemembered = 8;
    private const string Reports = "flotta/counted-reports";

    private readonly EventFlood flood = new(time);

    // What we believe an Event's count and resourceVersion to be; only saves a read.
    private readonly ConcurrentDictionary<ObjectKey, Corev1Event> known = new();

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
        return RecordAsync(reference, type, reason, message, 1, cancellationToken);
    }

    /// <param name="report">The report in which it was said, where that may arrive more than once; the same one is never counted again.</param>
    public async Task RecordAsync(
        V1ObjectReference about, string type, string reason, string message, int count, CancellationToken cancellationToken, string? report = null)
    {
        ArgumentNullException.ThrowIfNull(about);
        ArgumentNullException.ThrowIfNull(message);
        var similar = flood.Combines((about.Uid ?? about.Name, type, reason), message);
        if (similar)
            message = Combined + message;
        if (message.Length > LongestMessage)
            message = message[..(LongestMessage - 1)] + "…";
        var key = new ObjectKey(string.IsNullOrEmpty(about.NamespaceProperty) ? "default" : about.NamespaceProperty, NameOf(about, type, reason, similar ? Combined : message));
        // One report may have several words that are combined; each of them counts.
        var mark = string.IsNullOrEmpty(report) ? null : Hash(similar ? report + '\n' + message : report);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                if (known.TryGetValue(key, out var present) && mark != null && ReportsIn(present).Contains(mark, StringComparer.Ordinal))
                    return;
                var stored = present != null
                    ? await AgainAsync(key, present, similar ? message : null, count, mark, cancellationToken)
                    : await FirstAsync(key, about, type, reason, message, count, mark, cancellationToken);
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

    private Task<Corev1Event> FirstAsync(ObjectKey key, V1ObjectReference about, string type, string reason, string message, int count, string? mark, CancellationToken cancellationToken)
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
                    Annotations = mark == null ? null : new Dictionary<string, string>(StringComparer.Ordinal) { [Reports] = mark },
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

    private Task<Corev1Event> AgainAsync(ObjectKey key, Corev1Event present, string? message, int count, string? mark, CancellationToken cancellationToken)
    {
        var metadata = new JsonObject { ["resourceVersion"] = present.Metadata.ResourceVersion };
        if (mark != null)
            metadata["annotations"] = new JsonObject { [Reports] = string.Join(',', ReportsIn(present).TakeLast(ReportsRemembered - 1).Append(mark)) };
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

    private static string[] ReportsIn(Corev1Event present) =>
        present.Metadata.Annotations?.TryGetValue(Reports, out var marks) == true ? marks.Split(',', StringSplitOptions.RemoveEmptyEntries) : [];

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
