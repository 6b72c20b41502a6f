using System.Net;
using System.Net.Http.Headers;

namespace Flotta.Agent.Metrics;

/// <summary>Asks a target for its metrics. A target is a stranger: it may be slow, endless, compressed beyond measure, or no metrics at all.</summary>
internal sealed class Scraper : IDisposable
{
    private readonly ScrapeLimits _limits;
    private readonly TimeProvider _time;
    private readonly HttpClient _http;

    public Scraper(ScrapeLimits limits, TimeProvider time)
    {
        (_limits, _time) = (limits, time);
        _http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            AutomaticDecompression = DecompressionMethods.GZip,
            MaxResponseHeadersLength = 16,
            MaxConnectionsPerServer = 2,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(10),
            ActivityHeadersPropagator = null,
        })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <exception cref="ExpositionException">Why there are none, in words for people.</exception>
    public async Task<IReadOnlyList<Sample>> ScrapeAsync(Uri address, IReadOnlyList<KeyValuePair<string, string>> labels, Func<string, bool> wanted, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(_limits.Deadline, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            request.Headers.TryAddWithoutValidation("Accept", "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1");
            request.Headers.TryAddWithoutValidation("User-Agent", "flotta-device-worker");
            using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            if (answer.StatusCode != HttpStatusCode.OK)
                throw new ExpositionException($"it answers {(int)answer.StatusCode}");
            await using var body = await answer.Content.ReadAsStreamAsync(either.Token);
            return await ExpositionReader.ReadAsync(body, IsOpenMetrics(answer.Content.Headers.ContentType), labels, wanted, _limits, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ExpositionException($"it did not answer within {_limits.Deadline.TotalSeconds:0} s");
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or InvalidDataException)
        {
            throw new ExpositionException(exception is HttpRequestException { InnerException: { } inner } ? inner.Message : exception.Message);
        }
    }

    public void Dispose() => _http.Dispose();

    private static bool IsOpenMetrics(MediaTypeHeaderValue? type) => string.Equals(type?.MediaType, "application/openmetrics-text", StringComparison.OrdinalIgnoreCase);
}
