using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Flotta.EdgeApi;
using Flotta.EdgeApi.Requests;
using Flotta.Resources;
using Microsoft.Extensions.Logging;

namespace Flotta.Tests.EdgeApi.Hostility;

/// <summary>
/// Whatever is sent over real TLS, by whomever: every request is answered in the protocol's own words, nothing is logged as an error, nothing planted is found in a log, and others
/// are served as before. A few seconds; FLOTTA_SOAK=1 makes it FLOTTA_SOAK_MINUTES (30), FLOTTA_SEED repeats what was found.
/// </summary>
public sealed class FuzzTests(EdgeWorld world) : IClassFixture<EdgeWorld>
{
    private static readonly HashSet<int> Allowed = [200, 208, 304, 400, 401, 403, 404, 405, 406, 408, 411, 413, 414, 415, 417, 422, 429, 431, 501, 503, 505];

    private static readonly bool IsSoak = Environment.GetEnvironmentVariable("FLOTTA_SOAK") == "1";

    private static readonly byte[][] Good =
    [
        .. Wire.Captures.Names.Select(name => Wire.Captures.Body(name, "request")).Where(body => body.Length > 0),
        """{"type":"data","message_id":"m","version":1,"sent":"2026-11-22T13:16:56Z","directive":"heartbeat","content":{"status":"up","version":"1","workloads":[{"name":"w","status":"Running","last_data_upload":"2026-11-22T13:16:56Z","reason":"r","message":"m"}],"playbook-executions":[{"name":"p","status":"Running"}],"upgrade":{"current_commit_ID":"c","last_upgrade_status":"succeeded","last_upgrade_time":"t"},"events":[{"reason":"r","message":"m","type":"warn","id":"i"}]}}"""u8.ToArray(),
        """{"type":"data","directive":"enrolment","content":{"features":{"modelName":"m","hardware":{"hostname":"h","cpu":{"architecture":"x","count":2,"flags":["a"],"frequency":3.2,"model_name":"n"}}},"target_namespace":"default"}}"""u8.ToArray(),
        """{"type":"connection-status","message_id":"m","content":{"canonical_facts":{"ip_addresses":["1.2.3.4"]},"dispatchers":{"device":{"a":"b"}},"state":"online","tags":{}}}"""u8.ToArray(),
    ];

    [Fact]
    public async Task Nothing_that_is_sent_brings_anything_out_of_order()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("FLOTTA_SEED"), CultureInfo.InvariantCulture, out var given) ? given : IsSoak ? Environment.TickCount : 20261122;
        var minutes = int.TryParse(Environment.GetEnvironmentVariable("FLOTTA_SOAK_MINUTES"), CultureInfo.InvariantCulture, out var wished) ? wished : 30;
        var lasts = IsSoak ? TimeSpan.FromMinutes(minutes) : TimeSpan.FromSeconds(6);
        using var log = new Ears();
        await using var host = await EdgeApiHost.StartAsync(
            new EdgeApiOptions
            {
                Listen = IPAddress.Loopback, Port = 0, Replica = "fuzz", RequestsPerSecond = 100_000, NewcomerRequestsPerSecond = 100_000, BootstrapRequestsPerSecond = 100_000, MaxEnrolmentRequests = 500,
            },
            world.Configuration,
            log,
            world.Time,
            CancellationToken.None);
        var peers = await PeersAsync(host.Address);
        var counts = new ConcurrentDictionary<int, int>();
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var sent = 0L;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(async () =>
        {
            var random = new Random(seed + worker);
            var mutations = new Mutations(random);
            while (watch.Elapsed < lasts)
            {
                var what = "";
                try
                {
                    what = random.Next(20) == 0
                        ? await RawAsync(host.Address, peers[random.Next(peers.Count)].Certificate, random)
                        : await SendAsync(peers[random.Next(peers.Count)], random, mutations, counts);
                }
                catch (Exception problem) when (problem is not Xunit.Sdk.IAssertionException)
                {
                    throw new InvalidOperationException($"seed {seed}, worker {worker}, request {sent}: {problem.Message}", problem);
                }

                what.ShouldBeEmpty($"seed {seed}, worker {worker}, request {sent}; logged: {string.Join('\n', log.Bad)}");
                Interlocked.Increment(ref sent);
            }
        })));

        // Others are served as before.
        var (id, client) = await world.DeviceAsync();
        using var healthy = peers[0].Client;
        await healthy.GetAsync(peers[0].Id, "control").Empty(200);
        await client.GetAsync(id, "control").Empty(200);
        TestContext.Current.TestOutputHelper?.WriteLine($"{sent} requests in {watch.Elapsed.TotalMinutes:F1} min: {string.Join(", ", counts.OrderBy(count => count.Key).Select(count => $"{count.Key}: {count.Value}"))}");
        await Console.Error.WriteLineAsync($"fuzz: {sent} requests in {watch.Elapsed.TotalMinutes:F1} min, seed {seed}: {string.Join(", ", counts.OrderBy(count => count.Key).Select(count => $"{count.Key}: {count.Value}"))}");
        log.Bad.ShouldBeEmpty($"seed {seed}");
        client.Dispose();
    }

    private sealed record Somebody(string Id, EdgeClient Client, X509Certificate2 Certificate);

    private async Task<List<Somebody>> PeersAsync(Uri address)
    {
        var peers = new List<Somebody>();
        for (var device = 0; device < 3; device++)
        {
            var (id, _) = await world.DeviceAsync(found => found.Metadata.Labels = new Dictionary<string, string> { ["config/device-by-config"] = "setup" });
            var (certificate, serial) = world.CertificateFor(id);
            await world.RecordAsync(id, new CertificateStatus { Serial = serial, Confirmed = true });
            peers.Add(new(id, Client(certificate), certificate));
        }

        var bootstrap = X509Certificate2.CreateFromPem(world.Bootstrap.CertificatePem, world.Bootstrap.KeyPem);
        peers.Add(new(peers[0].Id, Client(bootstrap), bootstrap));
        var (expired, _) = world.CertificateFor(peers[0].Id, age: 60);
        peers.Add(new(peers[0].Id, Client(expired), expired));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = world.Time.GetUtcNow();
        var stranger = new CertificateRequest($"CN={peers[0].Id},OU=default", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        peers.Add(new(peers[0].Id, Client(stranger), stranger));
        return peers;

        EdgeClient Client(X509Certificate2 certificate) => new(address, world.Bootstrap.CaPem, certificate);
    }

    private static async Task<string> SendAsync(Somebody peer, Random random, Mutations mutations, ConcurrentDictionary<int, int> counts)
    {
        var get = random.Next(4) == 0;
        var id = random.Next(8) == 0 ? Id(random, mutations) : peer.Id;
        var path = random.Next(20) == 0 ? mutations.Text() : $"{EdgeRoute.Prefix}{(random.Next(3) == 0 ? "control" : "data")}/{id}/{(get ? "in" : "out")}";
        if (!Uri.TryCreate(peer.Client.Http.BaseAddress, path.Length == 0 ? "/" : path, out var uri) || uri.Scheme != "https" || uri.Host != peer.Client.Http.BaseAddress!.Host)
            return "";
        using var request = new HttpRequestMessage(Method(random, get), uri) { Version = random.Next(2) == 0 ? HttpVersion.Version11 : HttpVersion.Version20 };
        var body = get ? [] : random.Next(60) == 0 ? new byte[random.Next(900_000, 1_100_000)] : mutations.Of(Good[random.Next(Good.Length)]);
        if (body.Length > 0 && request.Method != HttpMethod.Head && request.Method != HttpMethod.Get)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.TryAddWithoutValidation("Content-Type", random.Next(12) == 0 ? mutations.Text() : "application/json");
            request.Headers.TransferEncodingChunked = random.Next(5) == 0 && request.Version == HttpVersion.Version11;
        }

        Headers(request, random, mutations);
        HttpResponseMessage response;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        try
        {
            response = await peer.Client.Http.SendAsync(request, patience.Token);
        }
        catch (Exception unsent) when (unsent is FormatException or InvalidOperationException or NotSupportedException or ArgumentException || (unsent is HttpRequestException && (unsent.Message.Contains("ASCII", StringComparison.Ordinal) || unsent.Message.Contains("server limit", StringComparison.Ordinal))))
        {
            return ""; // our own client would not send it
        }
        catch (OperationCanceledException)
        {
            return $"no answer to {request}; body of {body.Length}: {Encoding.UTF8.GetString(body.AsSpan(0, Math.Min(body.Length, 1000)))}";
        }
        catch (HttpRequestException broken) when (body.Length > 500_000 || broken.InnerException is IOException)
        {
            return ""; // answered and closed while we were still sending
        }

        using (response)
        {
            var status = (int)response.StatusCode;
            counts.AddOrUpdate(status, 1, (_, count) => count + 1);
            var text = await response.Content.ReadAsStringAsync();
            if (!Allowed.Contains(status))
                return $"{request.Method} {path} was answered with {status}; body {Encoding.UTF8.GetString(body.AsSpan(0, Math.Min(body.Length, 3000)))}";
            if (text.Length > 0)
                JsonNode.Parse(text);
            return "";
        }
    }

    private static string Id(Random random, Mutations mutations) => random.Next(6) switch
    {
        0 => new string('a', random.Next(200, 3000)),
        1 => "..",
        2 => "%2e%2e%2fdefault%2fother",
        3 => "%00",
        4 => "REGISTER",
        _ => Uri.EscapeDataString(mutations.Text().Replace('\ud83d', 'x').Replace('\ude00', 'x')),
    };

    private static HttpMethod Method(Random random, bool get) =>
        random.Next(25) == 0 ? new HttpMethod(new[] { "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "FOO" }[random.Next(7)]) : get ? HttpMethod.Get : HttpMethod.Post;

    private static void Headers(HttpRequestMessage request, Random random, Mutations mutations)
    {
        string[] names = ["Accept", "If-None-Match", "Prefer", "User-Agent", "Cookie", "X-Forwarded-For", "Content-Encoding", "Range", "Expect", "Authorization", "Te", "Connection"];
        for (var headers = random.Next(3) == 0 ? random.Next(1, 4) : 0; headers > 0; headers--)
        {
            var name = names[random.Next(names.Length)];
            // Over HTTP/2 our own client waits for ever when the answer comes before its body.
            if (name == "Expect" && request.Version != HttpVersion.Version11)
                continue;
            var value = name switch
            {
                "If-None-Match" => new[] { "*", "\"x\"", "W/\"x\"", "\"", ",,,,", "\"" + new string('a', 5000) + "\"" }[random.Next(6)],
                "Prefer" => new[] { "wait=0", "wait=-1", "wait=99999999999999999999", "wait", "wait=0;wait=0,wait=\"0\"", ";;;=", "respond-async, wait=0" }[random.Next(7)],
                "Accept" => new[] { "*/*", "text/html", "application/json;q=0", ";;;", "application/*;q=1e9", new string('a', 3000) }[random.Next(6)],
                "Expect" => "100-continue",
                "Connection" => "keep-alive",
                _ => new string(mutations.Text().Where(character => character is >= ' ' and < (char)0x7f).Take(3000).ToArray()),
            };
            request.Headers.TryAddWithoutValidation(name, value);
        }
    }

    /// <summary>What no client would send: half requests, wrong lengths, two at once, bytes.</summary>
    private static async Task<string> RawAsync(Uri address, X509Certificate2 certificate, Random random)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(address.Host, address.Port);
        await using var tls = new SslStream(socket.GetStream());
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        try
        {
            if (random.Next(5) == 0)
            {
                var noise = new byte[random.Next(1, 3000)];
                random.NextBytes(noise);
                await socket.GetStream().WriteAsync(noise, patience.Token);
                return "";
            }

            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = "project-flotta.io",
                    ClientCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true),
                    RemoteCertificateValidationCallback = (_, _, _, _) => true,
                    ApplicationProtocols = random.Next(2) == 0 ? [SslApplicationProtocol.Http2] : [SslApplicationProtocol.Http11],
                },
                patience.Token);
            await tls.WriteAsync(Garbage(random), patience.Token);
            if (random.Next(2) == 0)
                _ = await tls.ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false, new CancellationTokenSource(200).Token);
        }
        catch (Exception ended) when (ended is IOException or OperationCanceledException or System.Security.Authentication.AuthenticationException or SocketException)
        {
            // As it should.
        }

        return "";
    }

    private static byte[] Garbage(Random random)
    {
        var noise = new byte[random.Next(1, 2000)];
        random.NextBytes(noise);
        return random.Next(9) switch
        {
            0 => noise,
            1 => Encoding.ASCII.GetBytes($"POST {EdgeRoute.Prefix}data/x/out HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{{}}"),
            2 => Encoding.ASCII.GetBytes($"POST {EdgeRoute.Prefix}data/x/out HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"),
            3 => Encoding.ASCII.GetBytes($"GET {EdgeRoute.Prefix}data/x/in HTTP/1.1\r\n" + string.Concat(Enumerable.Range(0, 200).Select(header => $"X-{header}: y\r\n")) + "\r\n"),
            4 => Encoding.ASCII.GetBytes($"GET {new string('/', 9000)} HTTP/1.1\r\n\r\n"),
            5 => Encoding.ASCII.GetBytes("GET / HTTP/9.9\r\nHost: x\r\n\r\n"),
            6 => [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. noise],
            7 => [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 5, 0, 0, 0, 1, .. noise],
            _ => Encoding.ASCII.GetBytes($"POST {EdgeRoute.Prefix}data/x/out HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"),
        };
    }

    /// <summary>Keeps what should never be said.</summary>
    private sealed class Ears : ILoggerFactory, ILogger
    {
        public ConcurrentQueue<string> Bad { get; } = new();

        public void AddProvider(ILoggerProvider provider)
        {
            // There is but this one.
        }

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var line = $"{formatter(state, exception)} {exception}";
            if (Bad.Count < 20 && (logLevel >= LogLevel.Error || line.Contains(Mutations.Mark, StringComparison.Ordinal)))
                Bad.Enqueue($"{logLevel}: {line}");
        }

        public void Dispose()
        {
            // Nothing is held.
        }
    }
}
