using System.Globalization;
using System.Net;
using System.Net.Http;
using System.Net.Sockets;

namespace Flotta.EndToEnd;

internal static class Web
{
    private static readonly HttpClient Client = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.Zero }) { Timeout = TimeSpan.FromSeconds(2) };

    public static Task AnswersAsync(int port, TimeSpan deadline) => Eventually.TrueAsync(() => IsAnsweredAsync(port), deadline, () => $"Nothing answers on port {port}.");

    public static Task AnswersAsync(int port, TimeSpan deadline, string content) =>
        Eventually.TrueAsync(() => IsAnsweredAsync(port, content), deadline, () => $"{content} is not what port {port} answers.");

    private static async Task<bool> IsAnsweredAsync(int port, string? content = null)
    {
        try
        {
            var answer = await Client.GetStringAsync(new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/")));
            return content is null ? answer.Length > 0 : answer == content;
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }
}

/// <summary>A port for somebody who listens later. Below those that the system gives to connections (32768 and up), or one of them could have it by then; each is given once.</summary>
internal static class FreePort
{
    private const int Lowest = 20_000;
    private const int Count = 12_000;
    private static int _last = Random.Shared.Next(Count);

    public static int Next()
    {
        while (true)
        {
            var port = Lowest + (int)((uint)Interlocked.Increment(ref _last) % Count);
            try
            {
                using var listener = new TcpListener(IPAddress.Any, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody has it.
            }
        }
    }
}
