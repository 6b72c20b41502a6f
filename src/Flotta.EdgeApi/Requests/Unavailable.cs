using Flotta.Kube;

namespace Flotta.EdgeApi.Requests;

/// <summary>Whether it is only that the API server cannot keep up or be reached just now: whoever asked is told to come back.</summary>
internal static class Unavailable
{
    public static bool Is(Exception error) => error switch
    {
        TimeoutException or HttpRequestException => true,
        KubeException refused => refused.IsConflict || refused.IsTemporary,
        _ => false,
    };
}
