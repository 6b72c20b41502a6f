using Flotta.EdgeApi.Certificates;
using Flotta.EdgeApi.Requests;
using Flotta.Kube;
using Flotta.Resources;
using k8s.Models;
using Microsoft.AspNetCore.Http;

namespace Flotta.EdgeApi.LogStreams;

/// <summary>The other replicas: each tells with its Lease where it is reached.</summary>
internal sealed class Neighbours(KubeApi api, Authority authority, EdgeApiOptions options, LogLimits limits, TimeProvider time)
{
    public bool IsUs(string replica) => string.Equals(replica, options.Replica, StringComparison.Ordinal);

    /// <summary>Asks the replica that has the device, in the name of the person, and hands its answer on.</summary>
    public async Task PassOnAsync(HttpContext http, string replica, LogQuery query, string token, CancellationToken stopping)
    {
        if (await AddressOfAsync(replica, http.RequestAborted) is not { } address)
        {
            await Answer.Error(http, StatusCodes.Status502BadGateway, $"the device {query.Device.Name} is connected to the replica {replica} of the Edge API, which does not say where it is reached; set POD_IP there");
            return;
        }

        using var client = new LogsClient(address, authority.State.Trusted.Authorities, options.Domain);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        HttpResponseMessage response;
        try
        {
            var request = new HttpRequestMessage(HttpMethod.Get, LogQuery.PathOf(query.Device, query.For("")));
            request.Headers.Add(LogDesk.PassedOn, "1");
            response = await client.SendAsync(request, token, either.Token).WaitAsync(limits.Arrival * 2, time, either.Token);
        }
        catch (Exception error) when (error is HttpRequestException or TimeoutException)
        {
            await Answer.Error(http, StatusCodes.Status502BadGateway, $"the device {query.Device.Name} is connected to the replica {replica} of the Edge API, which cannot be reached at {address.Authority}");
            return;
        }

        using (response)
        {
            var body = await response.Content.ReadAsStreamAsync(either.Token);
            http.Response.StatusCode = (int)response.StatusCode;
            if (!response.IsSuccessStatusCode)
                http.Response.ContentType = "application/json";
            await LogRelay.RunAsync(body, http, query.Follow, limits, time, stopping);
        }
    }

    private async Task<Uri?> AddressOfAsync(string replica, CancellationToken cancellationToken)
    {
        var lease = await api.GetAsync<V1Lease>(new ObjectKey(options.OperatorNamespace, Names.EdgeApiLeasePrefix + replica), cancellationToken);
        return lease?.Metadata.Annotations?.TryGetValue(Names.Annotations.Address, out var text) == true && Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme == Uri.UriSchemeHttps
            ? address
            : null;
    }
}
