using System.Net;
using Flotta.Kube;
using Flotta.Resources;

namespace Flotta.Operator;

/// <summary>
/// One read before anything runs. Once running, the Operator outlasts any trouble with the API server; at the start the same trouble is nearly
/// always a mistake in what it was told, and somebody is there to read of it.
/// </summary>
internal static class FirstLook
{
    public static async Task TakeAsync(KubeApi api, string server, CancellationToken cancellationToken)
    {
        try
        {
            // Finds nothing, and is refused for the same reasons as a list of all.
            await api.ListAsync<EdgeDevice>(Names.EnrolmentNamespace, cancellationToken, fieldSelector: "metadata.name=none");
        }
        catch (KubeException refusal)
        {
            throw new OperatorStartException(Sentence(refusal, server), refusal);
        }
        catch (Exception error) when (error is HttpRequestException or TimeoutException or System.Security.Authentication.AuthenticationException)
        {
            throw new OperatorStartException($"The API server {server} cannot be reached: {Innermost(error).Message.TrimEnd('.')}.", error);
        }
    }

    private static string Sentence(KubeException refusal, string server) => refusal.StatusCode switch
    {
        HttpStatusCode.NotFound => $"The API server {server} does not know EdgeDevices; apply the definitions first (kubectl apply -f deploy/kubernetes/crds).",
        HttpStatusCode.Unauthorized => $"The API server {server} does not accept the credentials of the kubeconfig.",
        HttpStatusCode.Forbidden => $"The API server {server} does not let us read: {refusal.Message}",
        _ => $"The API server {server} answered: {refusal.Message}",
    };

    private static Exception Innermost(Exception error) => error.InnerException is { } inner ? Innermost(inner) : error;
}
