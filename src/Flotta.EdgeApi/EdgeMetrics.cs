using Flotta.EdgeApi.Requests;
using Microsoft.AspNetCore.Http;
using Prometheus;

namespace Flotta.EdgeApi;

/// <summary>Counters under the names that the original's dashboards ask for.</summary>
internal static class EdgeMetrics
{
    public static readonly Counter SuccessfulRegistration =
        Metrics.CreateCounter("flotta_api_edge_devices_successful_registration", "The number of successful registrations");

    public static readonly Counter FailedRegistration =
        Metrics.CreateCounter("flotta_api_edge_devices_failed_registration", "The number of failed registrations");

    public static readonly Counter Unregistration =
        Metrics.CreateCounter("flotta_api_edge_devices_unregistration", "The number of disconnect commands served");

    public static readonly Counter Heartbeat =
        Metrics.CreateCounter("flotta_api_edge_devices_heartbeat", "The number of heartbeats of a device", "deviceNamespace", "deviceID");

    public static readonly Counter FailedAuthentication =
        Metrics.CreateCounter("flotta_api_edge_devices_failed_authentication", "The number of requests whose certificate was refused");

    public static readonly Counter InvalidOwner =
        Metrics.CreateCounter("flotta_api_edge_devices_invalid_owner", "The number of requests for another device than the certificate's");

    /// <summary>By what was asked and how it ended; a held request counts apart, because it lasts as long as the device wishes.</summary>
    public static readonly Histogram RequestSeconds = Metrics.CreateHistogram(
        "flotta_edge_api_request_seconds",
        "How long requests took",
        ["endpoint", "status"],
        new HistogramConfiguration { Buckets = Histogram.ExponentialBuckets(0.0005, 2.5, 11) });

    public static readonly Histogram Writes = Metrics.CreateHistogram(
        "flotta_edge_api_status_write_seconds",
        "How long it took until a device's change was stored, waiting included",
        new HistogramConfiguration { Buckets = Histogram.ExponentialBuckets(0.001, 2.5, 10) });

    public static readonly Gauge Waiting = Metrics.CreateGauge("flotta_edge_api_status_writes_waiting", "The number of changes that wait to be stored");

    public static readonly Gauge Sessions = Metrics.CreateGauge("flotta_edge_api_devices", "The number of devices that this replica hears of");

    // Found once each: looking them up costs as much as half of what is measured.
    private static readonly string[] Endpoints = ["control-in", "control-out", "data-in", "data-in-held", "data-out", "none"];
    private static readonly string[] Statuses = ["2xx", "304", "4xx", "429", "503", "5xx"];
    private static readonly Histogram.Child?[] Known = new Histogram.Child?[36];

    public static void Observe(HttpContext http, double seconds)
    {
        var held = http.Response.Headers.ContainsKey("Preference-Applied");
        var endpoint = EdgeRoute.Find(http.Request.Path.Value, Identity.PeerConnection.Of(http)?.Name)?.Endpoint switch
        {
            EdgeEndpoint.ControlIn => 0,
            EdgeEndpoint.ControlOut => 1,
            EdgeEndpoint.DataIn => held ? 3 : 2,
            EdgeEndpoint.DataOut => 4,
            _ => 5,
        };
        var status = http.Response.StatusCode switch { < 300 => 0, 304 => 1, 429 => 3, < 500 => 2, 503 => 4, _ => 5 };
        (Known[(endpoint * 6) + status] ??= RequestSeconds.WithLabels(Endpoints[endpoint], Statuses[status])).Observe(seconds);
    }
}
