using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Flotta.Yggdrasil.Credentials;

namespace Flotta.Agent.Heartbeats;

/// <summary>What a heartbeat said, over which uninterrupted row of held requests, when, and as whom.</summary>
internal sealed record Beat(string Content, long? Holding, long At, Identity? AsWhom = null)
{
    public static string Digest(JsonElement content) => Convert.ToHexString(SHA256.HashData(JsonMarshal.GetRawUtf8Value(content)));
}

/// <summary>How often a device that has nothing new to say says it again.</summary>
internal sealed record HeartbeatPace(bool Thrifty)
{
    private static readonly TimeSpan DefaultPeriod = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LeastThrifty = TimeSpan.FromMinutes(10);

    /// <summary>What the server is asked for.</summary>
    public static TimeSpan QuietFor(bool thrifty) => thrifty ? TimeSpan.FromHours(6) : TimeSpan.FromMinutes(30);

    /// <summary>Between two looks at the machine; each is told of, unless it shows nothing new and the server agreed to do without.</summary>
    public TimeSpan Period(long seconds, TimeSpan? quiet)
    {
        var period = seconds <= 0 ? DefaultPeriod : TimeSpan.FromSeconds(Math.Min(seconds, 86_400));
        return Thrifty && quiet is not null && period < LeastThrifty ? LeastThrifty : period;
    }

    /// <summary>The server has taken these very words, agreed not to need them again, and has held our requests without interruption since.</summary>
    public bool IsSaid(Beat? told, Beat now, TimeSpan? quiet, TimeProvider time) =>
        told is not null && quiet is { } agreed && now.Holding is not null
        && (told.Holding ?? now.Holding) == now.Holding
        // A new certificate has to be shown, and is proven by the answer.
        && ReferenceEquals(told.AsWhom, now.AsWhom)
        && string.Equals(told.Content, now.Content, StringComparison.Ordinal)
        && time.GetElapsedTime(told.At, now.At) < agreed;
}
