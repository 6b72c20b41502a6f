using System.Buffers;
using System.Globalization;
using Flotta.EdgeApi.Fleet;
using Flotta.EdgeApi.Identity;
using Flotta.EdgeApi.Requests;
using Flotta.EdgeApi.Sessions;
using Flotta.EdgeApi.Statuses;
using Flotta.Resources;
using Flotta.Wire;
using Microsoft.AspNetCore.Http;

namespace Flotta.EdgeApi.Configuration;

/// <summary>
/// GET data/in. Without headers of ours every request gets the whole configuration, as from the original. With If-None-Match a device that has it gets 304,
/// and with <c>Prefer: wait</c> it gets that only after waiting for news in vain.
/// </summary>
internal sealed class ConfigurationDelivery(FleetCaches fleet, Gate gate, ConfigurationVersions versions, TimeProvider time)
{
    /// <summary>More requests of one device are not held: they only cost memory.</summary>
    private const int MostHolds = 4;

    /// <summary>Less fits into one packet anyway.</summary>
    private const int WorthPacking = 1024;

    /// <summary>Ends all waiting, for a server that stops.</summary>
    public CancellationToken Stopping { get; set; }

    public async Task AnswerAsync(HttpContext http, Peer peer, EdgeDevice device, Session session)
    {
        var preference = Preference.Of(http.Request.Headers);
        var holds = preference.Wait > TimeSpan.Zero && session.TryHold(MostHolds);
        try
        {
            var wait = holds ? Preference.Spread(preference.Wait) : TimeSpan.Zero;
            await AnswerAsync(http, peer, device, session, preference, wait);
        }
        finally
        {
            if (holds)
                session.Release(time.GetTimestamp());
        }
    }

    private async Task AnswerAsync(HttpContext http, Peer peer, EdgeDevice device, Session session, Preference preference, TimeSpan wait)
    {
        if (wait > TimeSpan.Zero)
            http.Response.Headers["Preference-Applied"] = Preference.Granted(preference.Wait);
        var started = time.GetTimestamp();
        if (preference.Wait > TimeSpan.Zero)
            session.TakesCommands = preference.Commands;
        var commands = preference.Commands && wait > TimeSpan.Zero;
        while (true)
        {
            // control/in has something to say, and whoever holds a request here looks there only when told to.
            if (preference.IsOurs && device.IsLeaving())
            {
                await Answer.Nothing(http, StatusCodes.Status404NotFound);
                return;
            }

            if (commands && session.NextCommand() is { } command)
            {
                await Answer.Body(http, Message.Command(command, time.GetUtcNow()), WireJson.Types.Message);
                return;
            }

            var known = session.Version;
            if (known == null || known.Epoch != session.Epoch || (known.Content == null && !preference.Knows(known.Version)))
            {
                var epoch = session.Epoch;
                var assembled = await versions.AssembleAsync(device, session, http.RequestAborted);
                known = new(assembled.Version, assembled.Problems.Count == 0 ? null : "", epoch) { Content = assembled.Content };
            }

            if (!preference.Knows(known.Version))
            {
                await SendAsync(http, known, preference);
                return;
            }

            var left = wait - time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero || Stopping.IsCancellationRequested || !await NewsAsync(http, session.ChangedSince(known.Epoch, commands), left))
            {
                http.Response.Headers.ETag = $"\"{known.Version}\"";
                await Answer.Nothing(http, StatusCodes.Status304NotModified);
                return;
            }

            // Whatever changed may also be that the device is gone, or no longer who it was.
            if (fleet.Devices.Get(session.Device) is not { } now)
            {
                await Answer.Nothing(http, StatusCodes.Status404NotFound);
                return;
            }

            if (!gate.StillAdmits(peer, now))
            {
                EdgeMetrics.FailedAuthentication.Inc();
                await Answer.Nothing(http, StatusCodes.Status401Unauthorized);
                return;
            }

            device = now;
        }
    }

    /// <summary>Waits; false when the time is over (or the server stops) without news.</summary>
    private async Task<bool> NewsAsync(HttpContext http, Task news, TimeSpan left)
    {
        if (news.IsCompleted)
            return true;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, Stopping);
        var timer = Task.Delay(left, time, end.Token);
        var first = await Task.WhenAny(news, timer);
        await end.CancelAsync();
        http.RequestAborted.ThrowIfCancellationRequested();
        return first == news;
    }

    private async Task SendAsync(HttpContext http, KnownVersion configuration, Preference preference)
    {
        // Who cannot be told item by item must not take half a configuration for the whole.
        if (configuration.Problem != null && !preference.IsOurs)
        {
            await Answer.Nothing(http, StatusCodes.Status500InternalServerError);
            return;
        }

        http.Response.Headers.ETag = $"\"{configuration.Version}\"";
        var content = configuration.Content!;
        var envelope = ArrayPool<byte>.Shared.Rent(content.Length + 256);
        try
        {
            var bytes = envelope.AsMemory(0, Write(envelope, content, time.GetUtcNow()));
            await (preference.IsOurs && bytes.Length >= WorthPacking && TakesGzip(http) ? Answer.Packed(http, bytes) : Answer.Bytes(http, bytes));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(envelope);
        }
    }

    // Go's client asks for it too, without Prefer: fleets of the original's devices fetch the whole every five seconds, and packing it each time costs more than it spares.
    private static bool TakesGzip(HttpContext http) => http.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase);

    // The content is JSON already; around it nothing needs escaping.
    private static int Write(Span<byte> to, byte[] content, DateTimeOffset now)
    {
        var start = to;
        Put(ref to, "{\"content\":"u8);
        Put(ref to, content);
        Put(ref to, ",\"directive\":\"device\",\"message_id\":\""u8);
        Guid.NewGuid().TryFormat(to, out var written);
        to = to[written..];
        Put(ref to, "\",\"sent\":\""u8);
        now.UtcDateTime.TryFormat(to, out written, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        to = to[written..];
        Put(ref to, "\",\"type\":\"data\",\"version\":1}\n"u8);
        return start.Length - to.Length;
    }

    private static void Put(ref Span<byte> to, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(to);
        to = to[bytes.Length..];
    }
}
