using Flotta.Kube;
using Flotta.Resources;

namespace Flotta.EdgeApi.Fleet;

/// <summary>The outside name of OpenShift's object storage. It hardly ever changes, and most clusters have none: asked for rarely, and not watched.</summary>
internal sealed class RouteLookup(KubeApi api, TimeProvider time)
{
    private static readonly ObjectKey S3 = new("openshift-storage", "s3");
    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(5);
    private Answer? last;

    public async ValueTask<string?> HostAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref last) is { } known && time.GetElapsedTime(known.At) < Fresh)
            return known.Host;
        string? host = null;
        try
        {
            host = (await api.GetAsync<Route>(S3, cancellationToken))?.Spec.Host;
        }
        catch (KubeException refused) when (refused.IsRefused)
        {
            // Not ours to know here.
        }

        Volatile.Write(ref last, new(string.IsNullOrEmpty(host) ? null : host, time.GetTimestamp()));
        return last!.Host;
    }

    private sealed record Answer(string? Host, long At);
}
