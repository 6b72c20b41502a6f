using System.Globalization;
using System.Text.Json;
using Flotta.EdgeApi.Fleet;
using Flotta.EdgeApi.Identity;
using Flotta.EdgeApi.Requests;
using Flotta.EdgeApi.Sessions;
using Flotta.Resources;
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

    /// <summary>Ends all waiting, for a server that stops.</summary>
    public CancellationToken Stopping { get; set; }

    public async Task AnswerAsync(HttpContext http, Peer peer, EdgeDevice device, Session session)
    {
        var preference = Preference.Of(http.Request.Headers);
        var holds = preference.Wait > TimeSpan.Zero && session.TryHold(MostHolds);
        try
        {
            // Jittered: devices that began to wait together should not all ask again together.
            var wait = holds ? preference.Wait * (0.9 + (0.1 * Random.Shared.NextDouble())) : TimeSpan.Zero;
            await AnswerAsync(http, peer, device, session, preference, wait);
        }
        finally
        {
            if (holds)
                session.Release();
        }
    }

    private async Task AnswerAsync(HttpContext http, Peer peer, EdgeDevice device, Session session, Preference preference, TimeSpan wait)
    {
        if (wait > TimeSpan.Zero)
            http.Response.Headers["Preference-Applied"] = string.Create(CultureInfo.InvariantCulture, $"wait={(int)preference.Wait.TotalSeconds}");
        var started = time.GetTimestamp();
        while (true)
        {
            var known = session.Version;
            if (known == null || known.Epoch != session.Epoch || !preference.Knows(known.Version))
            {
                var assembled = await versions.AssembleAsync(device, session, http.RequestAborted);
                known = session.Version!;
                if (!preference.Knows(assembled.Version))
                {
                    await SendAsync(http, assembled, preference);
                    return;
                }
            }

            var left = wait - time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero || Stopping.IsCancellationRequested || !await NewsAsync(http, session, known.Epoch, left))
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
    private async Task<bool> NewsAsync(HttpContext http, Session session, long epoch, TimeSpan left)
    {
        var news = session.ChangedSince(epoch);
        if (news.IsCompleted)
            return true;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, Stopping);
        var timer = Task.Delay(left, time, end.Token);
        var first = await Task.WhenAny(news, timer);
        await end.CancelAsync();
        http.RequestAborted.ThrowIfCancellationRequested();
        return first == news;
    }

    private async Task SendAsync(HttpContext http, AssembledConfiguration assembled, Preference preference)
    {
        // Who cannot be told item by item must not take half a configuration for the whole.
        if (assembled.Problems.Count > 0 && !preference.IsOurs)
        {
            await Answer.Nothing(http, StatusCodes.Status500InternalServerError);
            return;
        }

        http.Response.Headers.ETag = $"\"{assembled.Version}\"";
        using var buffer = new MemoryStream(4096);
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = Wire.WireJson.Types.Options.Encoder, SkipValidation = true }))
        {
            writer.WriteStartObject();
            writer.WritePropertyName("content");
            JsonSerializer.Serialize(writer, assembled.Message, Wire.WireJson.Types.DeviceConfigurationMessage);
            writer.WriteString("directive", Wire.Directives.Device);
            writer.WriteString("message_id", Guid.NewGuid().ToString());
            writer.WriteString("sent", Wire.WireTime.Format(time.GetUtcNow()));
            writer.WriteString("type", Wire.MessageTypes.Data);
            writer.WriteNumber("version", 1);
            writer.WriteEndObject();
        }

        buffer.WriteByte((byte)'\n');
        await Answer.Bytes(http, buffer.GetBuffer().AsMemory(0, (int)buffer.Length));
    }
}
