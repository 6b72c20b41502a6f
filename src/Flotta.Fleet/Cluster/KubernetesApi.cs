using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace Flotta.Fleet.Cluster;

/// <summary>The few things that a person would do with kubectl: approve devices, apply a workload and take it away.</summary>
internal sealed class KubernetesApi : IDisposable
{
    private const string Group = "apis/management.project-flotta.io/v1alpha1";

    private readonly HttpClient _client;

    public KubernetesApi(Kubeconfig config)
    {
        _client = new HttpClient(config.Handler()) { BaseAddress = new Uri(config.Server.GetLeftPart(UriPartial.Authority) + "/"), Timeout = TimeSpan.FromSeconds(30) };
        if (config.Token is not null)
            _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", config.Token);
    }

    /// <summary>Names of the enrolment requests with this prefix that nobody has decided on yet.</summary>
    public async Task<IReadOnlyList<string>> PendingAsync(string prefix, CancellationToken cancellationToken)
    {
        var pending = new List<string>();
        string? more = null;
        do
        {
            var page = await GetAsync($"{Group}/namespaces/default/edgedevicesignedrequest?limit=500{(more is null ? "" : "&continue=" + Uri.EscapeDataString(more))}", cancellationToken);
            foreach (var item in page["items"]!.AsArray())
            {
                var name = (string)item!["metadata"]!["name"]!;
                if (name.StartsWith(prefix, StringComparison.Ordinal) && (bool?)item["spec"]?["approved"] != true && (bool?)item["spec"]?["declined"] != true)
                    pending.Add(name);
            }

            more = (string?)page["metadata"]?["continue"];
        }
        while (!string.IsNullOrEmpty(more));
        return pending;
    }

    public Task ApproveAsync(string name, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Patch, $"{Group}/namespaces/default/edgedevicesignedrequest/{name}", """{"spec":{"approved":true}}""", "application/merge-patch+json", cancellationToken);

    /// <summary>A workload for one device, or for every device of a fleet: they say so in their hardware, and the Edge API makes labels of that.</summary>
    public Task ApplyWorkloadAsync(string @namespace, string name, int revision, string? device, CancellationToken cancellationToken)
    {
        var manifest = new JsonObject
        {
            ["apiVersion"] = "management.project-flotta.io/v1alpha1",
            ["kind"] = "EdgeWorkload",
            ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = @namespace },
            ["spec"] = new JsonObject
            {
                ["type"] = "pod",
                ["device"] = device,
                ["deviceSelector"] = device is not null ? null : new JsonObject { ["matchLabels"] = new JsonObject { ["device.system-manufacturer"] = Devices.SimulatedHardware.Manufacturer } },
                ["pod"] = new JsonObject
                {
                    ["spec"] = new JsonObject { ["containers"] = new JsonArray(new JsonObject { ["name"] = "app", ["image"] = $"localhost/simulated:{revision}" }) },
                },
            },
        };
        return SendAsync(HttpMethod.Post, $"{Group}/namespaces/{@namespace}/edgeworkloads", manifest.ToJsonString(), "application/json", cancellationToken);
    }

    public async Task DeleteWorkloadAsync(string @namespace, string name, CancellationToken cancellationToken)
    {
        try
        {
            await SendAsync(HttpMethod.Delete, $"{Group}/namespaces/{@namespace}/edgeworkloads/{name}", null, "application/json", cancellationToken);
        }
        catch (HttpRequestException gone) when (gone.StatusCode == HttpStatusCode.NotFound)
        {
            // As wanted.
        }
    }

    public async Task<bool> WorkloadExistsAsync(string @namespace, string name, CancellationToken cancellationToken)
    {
        using var response = await _client.GetAsync(new Uri($"{Group}/namespaces/{@namespace}/edgeworkloads/{name}", UriKind.Relative), cancellationToken);
        return response.StatusCode != HttpStatusCode.NotFound;
    }

    public void Dispose() => _client.Dispose();

    private async Task<JsonNode> GetAsync(string path, CancellationToken cancellationToken)
    {
        using var response = await _client.GetAsync(new Uri(path, UriKind.Relative), cancellationToken);
        Check(response);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync(cancellationToken))!;
    }

    private async Task SendAsync(HttpMethod method, string path, string? body, string type, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        if (body is not null)
            request.Content = new StringContent(body, Encoding.UTF8, type);
        using var response = await _client.SendAsync(request, cancellationToken);
        Check(response);
    }

    private static void Check(HttpResponseMessage response)
    {
        if (!response.IsSuccessStatusCode)
        {
            throw new HttpRequestException(
                $"the API server answered {(int)response.StatusCode} to {response.RequestMessage?.Method} {response.RequestMessage?.RequestUri?.AbsolutePath}", null, response.StatusCode);
        }
    }
}
