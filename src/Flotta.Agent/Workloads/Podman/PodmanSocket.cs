using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Flotta.Agent.Workloads;

/// <summary>HTTP over podman's unix socket: deadlines, size limits, and every failure as one clear line.</summary>
internal sealed class PodmanSocket : IDisposable
{
    private const int MaxAnswerBytes = 16 << 20;
    private const int MaxLine = 64 << 10;
    private const int MaxMessage = 1000;

    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly HttpClient _http;

    public PodmanSocket(string path, TimeProvider time)
    {
        _path = path;
        _time = time;
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = ConnectAsync,
            UseProxy = false,
            AllowAutoRedirect = false,
            // A connection to a socket costs next to nothing, and a pool looks through its connections again and again.
            PooledConnectionIdleTimeout = TimeSpan.Zero,
        };
        _http = new HttpClient(handler) { BaseAddress = new Uri("http://podman/"), MaxResponseContentBufferSize = MaxAnswerBytes, Timeout = Timeout.InfiniteTimeSpan };
    }

    public void Dispose() => _http.Dispose();

    /// <summary>Any answer, whole.</summary>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, TimeSpan deadline, CancellationToken cancellationToken)
    {
        using var limit = new Deadline(deadline, _time, cancellationToken);
        try
        {
            return await _http.SendAsync(request, limit.Token);
        }
        catch (Exception exception) when (IsTransport(exception, cancellationToken))
        {
            throw Explain(exception, deadline);
        }
    }

    /// <summary>A good answer, whole; everything else is a <see cref="PodmanException"/>.</summary>
    public async Task<HttpResponseMessage> CallAsync(HttpRequestMessage request, TimeSpan deadline, CancellationToken cancellationToken)
    {
        var response = await SendAsync(request, deadline, cancellationToken);
        // 304: already started, or already stopped.
        if (response.IsSuccessStatusCode || response.StatusCode == HttpStatusCode.NotModified)
            return response;
        using (response)
            throw Error(response.StatusCode, await response.Content.ReadAsStringAsync(cancellationToken));
    }

    /// <summary>A stream of lines. It ends when podman ends it, or with a <see cref="PodmanException"/>.</summary>
    public async IAsyncEnumerable<string> StreamAsync(
        HttpRequestMessage request,
        TimeSpan deadline,
        Action? connected,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var limit = new Deadline(deadline, _time, cancellationToken);
        await using var lines = OpenAsync(request, connected, limit.Token).GetAsyncEnumerator(limit.Token);
        while (true)
        {
            try
            {
                if (!await lines.MoveNextAsync())
                    yield break;
            }
            catch (Exception exception) when (IsTransport(exception, cancellationToken))
            {
                throw Explain(exception, deadline);
            }
            yield return lines.Current;
        }
    }

    /// <summary>The body of a good answer as it comes; disposing it ends the connection.</summary>
    public async Task<Stream> OpenAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (response.IsSuccessStatusCode)
                return await response.Content.ReadAsStreamAsync(cancellationToken);
            using (response)
                throw Error(response.StatusCode, await response.Content.ReadAsStringAsync(cancellationToken));
        }
        catch (Exception exception) when (IsTransport(exception, cancellationToken))
        {
            throw Explain(exception, Timeout.InfiniteTimeSpan);
        }
    }

    private async IAsyncEnumerable<string> OpenAsync(HttpRequestMessage request, Action? connected, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (!response.IsSuccessStatusCode)
            throw Error(response.StatusCode, await response.Content.ReadAsStringAsync(cancellationToken));
        connected?.Invoke();
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        await foreach (var line in LinesAsync(stream, cancellationToken))
            yield return line;
    }

    /// <summary>Lines of bounded length: a longer one ends the stream, since nothing that podman says is.</summary>
    private static async IAsyncEnumerable<string> LinesAsync(Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var buffer = new byte[MaxLine];
        var filled = 0;
        while (true)
        {
            if (filled == buffer.Length)
                throw new PodmanException("podman sent a line without end");
            var count = await stream.ReadAsync(buffer.AsMemory(filled), cancellationToken);
            filled += count;
            var start = 0;
            for (var end = Array.IndexOf(buffer, (byte)'\n', start, filled - start); end >= 0; end = Array.IndexOf(buffer, (byte)'\n', start, filled - start))
            {
                yield return Encoding.UTF8.GetString(buffer, start, end - start);
                start = end + 1;
            }
            filled -= start;
            Array.Copy(buffer, start, buffer, 0, filled);
            if (count > 0)
                continue;
            if (filled > 0)
                yield return Encoding.UTF8.GetString(buffer, 0, filled);
            yield break;
        }
    }

    public static T? Parse<T>(string text, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return string.IsNullOrWhiteSpace(text) ? null : JsonSerializer.Deserialize(text, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>A container that fails because another one did says nothing of its own; the first error is the cause.</summary>
    public static string Join(IReadOnlyList<string> errors)
    {
        var causes = errors.Where(error => !error.Contains("a dependency of container", StringComparison.Ordinal)).ToList();
        return OneLine(string.Join("; ", causes.Count > 0 ? causes : errors));
    }

    public static string OneLine(string text)
    {
        // People read it in a terminal, and what is in it may be anybody's.
        var shown = text.Length <= 4 * MaxMessage ? text : text[..(4 * MaxMessage)];
        var plain = string.Concat(shown.Select(letter => char.GetUnicodeCategory(letter) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate ? ' ' : letter));
        var line = string.Join(' ', plain.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        return line.Length <= MaxMessage ? line : line[..MaxMessage] + "…";
    }

    private static PodmanException Error(HttpStatusCode status, string text)
    {
        var error = Parse(text, PodmanJson.Default.PodmanError);
        var said = error?.Errs is { Count: > 0 } errors ? Join(errors) : error?.Message ?? error?.Cause ?? error?.Err;
        return new PodmanException(string.IsNullOrWhiteSpace(said) ? $"podman answered {(int)status}" : OneLine(said), status);
    }

    private static bool IsTransport(Exception exception, CancellationToken cancellationToken) =>
        exception is HttpRequestException or IOException or SocketException
        || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    private PodmanException Explain(Exception exception, TimeSpan deadline)
    {
        if (exception is OperationCanceledException)
            return new PodmanException($"podman did not finish within {deadline.TotalSeconds:0} s", null, exception) { TimedOut = true };
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            var reason = cause switch
            {
                SocketException { SocketErrorCode: SocketError.AccessDenied } => $"no permission for podman's socket {_path}",
                SocketException when !File.Exists(_path) =>
                    $"podman's socket {_path} is not there; start it with `{(_path.StartsWith("/run/user/", StringComparison.Ordinal) ? "systemctl --user enable --now podman.socket` as its user" : "systemctl enable --now podman.socket`")}, or run `podman system service`",
                SocketException { SocketErrorCode: SocketError.ConnectionRefused } => $"nobody listens at podman's socket {_path}",
                _ => null,
            };
            if (reason is not null)
                return new PodmanException(reason, null, exception);
        }
        return new PodmanException($"the connection to podman broke: {OneLine(exception.Message)}", null, exception);
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(_path), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
