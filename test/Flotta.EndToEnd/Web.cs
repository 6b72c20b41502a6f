using System.Globalization;
using System.Net.Http;

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
