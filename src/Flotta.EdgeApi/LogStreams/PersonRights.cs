using Flotta.EdgeApi.Sessions;
using Flotta.Kube;
using Flotta.Resources;
using k8s.Models;
using Microsoft.AspNetCore.Http;

namespace Flotta.EdgeApi.LogStreams;

/// <param name="Refusal">The status to answer with; 0 where the person may.</param>
internal readonly record struct PersonVerdict(int Refusal, string Name, string? Problem);

/// <summary>
/// Who a person is and what they may do is the Kubernetes API's to say: it is shown the token that they sent, and asked whether they may <c>get</c> the subresource
/// <c>logs</c> of this EdgeDevice.
/// </summary>
internal sealed class PersonRights(KubeApi api, TimeProvider time)
{
    // Strangers can make us ask; not faster than this.
    private readonly RateLimit questions = new(20, 100, time);

    public async Task<PersonVerdict> AskAsync(string? token, ObjectKey device, CancellationToken cancellationToken)
    {
        if (token is not { Length: > 0 and <= 8192 })
            return new(StatusCodes.Status401Unauthorized, "", "a bearer token of the Kubernetes API is needed");
        if (!questions.TryTake())
            return new(StatusCodes.Status429TooManyRequests, "", "too many people ask at once; try again in a moment");
        var review = await api.ReviewAsync(
            new V1TokenReview { ApiVersion = "authentication.k8s.io/v1", Kind = "TokenReview", Spec = new() { Token = token } }, cancellationToken);
        if (review.Status?.Authenticated != true || review.Status.User is not { Username.Length: > 0 } user)
            return new(StatusCodes.Status401Unauthorized, "", "the Kubernetes API does not accept this token");
        var access = await api.ReviewAsync(
            new V1SubjectAccessReview
            {
                ApiVersion = "authorization.k8s.io/v1",
                Kind = "SubjectAccessReview",
                Spec = new()
                {
                    User = user.Username,
                    Uid = user.Uid,
                    Groups = user.Groups,
                    Extra = user.Extra,
                    ResourceAttributes = new() { Verb = "get", Group = Names.Group, Version = Names.Version, Resource = "edgedevices", Subresource = "logs", NamespaceProperty = device.Namespace, Name = device.Name },
                },
            },
            cancellationToken);
        return access.Status?.Allowed == true
            ? new(0, user.Username, null)
            : new(StatusCodes.Status403Forbidden, user.Username, $"User \"{user.Username}\" cannot get resource \"edgedevices/logs\" in API group \"{Names.Group}\" in the namespace \"{device.Namespace}\"");
    }
}
