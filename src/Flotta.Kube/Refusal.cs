using System.Net;
using k8s.Models;

namespace Flotta.Kube;

/// <summary>Reads the API server's Status document into an exception; survives answers that are no Status at all (a proxy's page, say).</summary>
internal static class Refusal
{
    private const int LongestMessage = 2000;

    public static async Task<KubeException> OfAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var body = await response.Content.ReadAsStringAsync(cancellationToken);
        var status = Parse(body);
        var message = status?.Message ?? (body.Length == 0 ? response.ReasonPhrase ?? response.StatusCode.ToString() : body);
        var wait = response.Headers.RetryAfter?.Delta ?? (status?.Details?.RetryAfterSeconds is > 0 and var seconds ? TimeSpan.FromSeconds(seconds) : null);
        return new KubeException(response.StatusCode, status?.Reason ?? "", message.Length > LongestMessage ? message[..LongestMessage] : message, wait);
    }

    public static KubeException Of(V1Status status) =>
        new((HttpStatusCode)(status.Code ?? 500), status.Reason ?? "", status.Message ?? "the watch ended with an error");

    private static V1Status? Parse(string body)
    {
        try
        {
            return KubeJson.Deserialize<V1Status>(body);
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }
}
