using System.Globalization;
using System.Text.Json.Nodes;
using Flotta.EdgeApi.Certificates;
using Flotta.Kube;
using Flotta.Resources;
using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Flotta.EdgeApi.LogStreams;

/// <summary>
/// Tells people, in a ConfigMap that everybody in the cluster may read, how the Edge API is reached and by which authority it is known. Nothing in it is secret. Looked at again
/// every few minutes: an authority is renewed, and a ConfigMap is deleted.
/// </summary>
internal sealed partial class PublicInfo(KubeApi api, Authority authority, EdgeApiOptions options, ILoggerFactory loggers, TimeProvider time)
{
    private static readonly TimeSpan Between = TimeSpan.FromMinutes(5);
    private readonly ILogger logger = loggers.CreateLogger<PublicInfo>();

    public async Task RunAsync(int port, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await PublishAsync(port, cancellationToken);
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                LogFailed(error.Message);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            await Task.Delay(Between * (0.9 + (0.2 * Random.Shared.NextDouble())), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task PublishAsync(int port, CancellationToken cancellationToken)
    {
        var key = new ObjectKey(options.OperatorNamespace, Names.EdgeApiInfo);
        var data = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["ca.crt"] = string.Concat(authority.State.Trusted.Authorities.Select(one => one.ExportCertificatePem() + "\n")),
            ["server-name"] = options.Domain,
            ["url"] = options.BesideApiServer ? "" : options.PublicUrl,
            // Where there is no URL: the host of the Kubernetes API, and this port.
            ["port"] = options.BesideApiServer ? port.ToString(CultureInfo.InvariantCulture) : "",
        };
        var present = await api.GetAsync<V1ConfigMap>(key, cancellationToken);
        if (present is null)
        {
            await api.CreateAsync(new V1ConfigMap { ApiVersion = "v1", Kind = "ConfigMap", Metadata = new() { Name = key.Name, NamespaceProperty = key.Namespace }, Data = data }, cancellationToken);
        }
        else if (present.Data is null || data.Any(one => !present.Data.TryGetValue(one.Key, out var value) || value != one.Value))
        {
            await api.MergePatchAsync<V1ConfigMap>(key, new JsonObject { ["data"] = new JsonObject(data.Select(one => KeyValuePair.Create(one.Key, (JsonNode?)one.Value))) }, cancellationToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "How the Edge API is reached could not be told: {Problem}")]
    private partial void LogFailed(string problem);
}
