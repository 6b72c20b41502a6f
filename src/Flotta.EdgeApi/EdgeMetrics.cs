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
}
