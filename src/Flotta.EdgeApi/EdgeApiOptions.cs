using System.Globalization;
using System.Net;
using Flotta.EdgeApi.Remote;
using Flotta.Resources;

namespace Flotta.EdgeApi;

/// <summary>Read once at start. The defaults and the environment's names are the original's where it has them.</summary>
public sealed record EdgeApiOptions
{
    public IPAddress Listen { get; init; } = IPAddress.IPv6Any;

    /// <summary>0 picks a free one.</summary>
    public int Port { get; init; } = 8043;

    /// <summary>The name by which devices reach us; goes into the server certificate.</summary>
    public string Domain { get; init; } = "project-flotta.io";

    /// <summary>Whether the server certificate also names 127.0.0.1 and ::1.</summary>
    public bool TlsLocalhost { get; init; } = true;

    /// <summary>Where people reach us.</summary>
    public string PublicUrl { get; init; } = "https://project-flotta.io:8043";

    /// <summary>People reach us where they reach the Kubernetes API, at another port: in <c>flotta up</c>.</summary>
    public bool BesideApiServer { get; init; }

    /// <summary>Where other replicas reach this one; null where it listens everywhere and nobody says which address that is.</summary>
    public IPAddress? PodAddress { get; init; }

    public int ClientCertificateDays { get; init; } = 30;

    /// <summary>How long after its expiry a device's certificate still gets it a new one.</summary>
    public TimeSpan RenewalGrace { get; init; } = TimeSpan.FromDays(180);

    /// <summary>BACKEND=remote: the service that stands in for the Kubernetes API; null for BACKEND=crd.</summary>
    public RemoteOptions? Remote { get; init; }

    public string OperatorNamespace { get; init; } = Names.OperatorNamespace;

    /// <summary>The name of this replica among others; stands in status.connectedTo and in the name of its Lease.</summary>
    public string Replica { get; init; } = ReplicaName(Environment.MachineName);

    /// <summary>Requests a second that one device may send for long; it may send ten times as many at once.</summary>
    public int RequestsPerSecond { get; init; } = 50;

    /// <summary>Requests a second over the bootstrap certificate, of all devices together.</summary>
    public int BootstrapRequestsPerSecond { get; init; } = 2000;

    /// <summary>Enrolments and registrations a second of one device; it may send ten times as many at once.</summary>
    public int NewcomerRequestsPerSecond { get; init; } = 2;

    /// <summary>Connections that one certificate may have open, but for the bootstrap certificate, which is everybody's.</summary>
    public int MaxConnectionsPerDevice { get; init; } = 64;

    /// <summary>Memory for rendered configurations of devices that fetch them again and again.</summary>
    public long MaxRenderedBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Enrolment requests that may exist; whoever has the bootstrap certificate can make them, and nothing else limits them.</summary>
    public int MaxEnrolmentRequests { get; init; } = 200_000;

    /// <summary>Devices that may wait with a held request until they are let in; more of them ask again and again.</summary>
    public int MaxHeldEnrolments { get; init; } = 10_000;

    /// <summary>
    /// How long a replica that is asked to stop goes on serving, not ready any more: whoever spreads the devices over replicas needs a moment to hear of it.
    /// </summary>
    public TimeSpan Drain { get; init; } = TimeSpan.Zero;

    public int MaxConnections { get; init; } = 150_000;

    /// <summary>TLS handshakes at one time; more of them wait.</summary>
    public int MaxHandshakes { get; init; } = 64 * Environment.ProcessorCount;

    /// <summary>Heartbeats whose change waits to be written; beyond that devices are told to come back.</summary>
    public int MaxPendingWrites { get; init; } = 20_000;

    /// <summary>Status writes at one time.</summary>
    public int StatusWriters { get; init; } = 32;

    /// <summary>The original's variables; anything unreadable is an error that names the variable.</summary>
    public static EdgeApiOptions FromEnvironment(Func<string, string?> read)
    {
        ArgumentNullException.ThrowIfNull(read);
        var defaults = new EdgeApiOptions();
        var backend = read("BACKEND") is { Length: > 0 } named ? named : "crd";
        if (backend is not ("crd" or "remote"))
            throw new FormatException($"BACKEND is '{backend}'; it should be crd or remote");
        var domain = read("DOMAIN") is { Length: > 0 } called ? called : defaults.Domain;
        var port = Number("HTTPS_PORT", defaults.Port, 0, 65535);
        return defaults with
        {
            Remote = backend == "remote" ? RemoteOptions.From(read("REMOTE_BACKEND_URL"), read("REMOTE_BACKEND_TIMEOUT")) : null,
            // The original's documentation writes ":8043".
            Port = port,
            Domain = domain,
            PublicUrl = read("PUBLIC_URL") is { Length: > 0 } url ? Https(url) : $"https://{domain}:{port}",
            PodAddress = read("POD_IP") is not { Length: > 0 } ip ? null : IPAddress.TryParse(ip, out var address) ? address : throw new FormatException($"POD_IP is '{ip}'; it should be an IP address"),
            TlsLocalhost = Flag("TLS_LOCALHOST_ENABLED", defaults.TlsLocalhost),
            ClientCertificateDays = Number("CLIENT_CERT_EXPIRATION_DAYS", defaults.ClientCertificateDays, 1, 3650),
            Drain = TimeSpan.FromSeconds(Number("DRAIN_SECONDS", 0, 0, 10)),
            OperatorNamespace = read("POD_NAMESPACE") is { Length: > 0 } space ? space : defaults.OperatorNamespace,
            Replica = ReplicaName(read("POD_NAME") is { Length: > 0 } pod ? pod : Environment.MachineName),
        };

        static string Https(string text) => Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme == Uri.UriSchemeHttps
            ? text
            : throw new FormatException($"PUBLIC_URL is '{text}'; it should be an address such as https://fleet.example.com:8043");

        int Number(string name, int otherwise, int low, int high) => read(name) is not { Length: > 0 } text
            ? otherwise
            : int.TryParse(text.TrimStart(':'), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= low && number <= high
                ? number
                : throw new FormatException($"{name} is '{text}'; it should be a number from {low} to {high}");

        bool Flag(string name, bool otherwise) => read(name) is not { Length: > 0 } text
            ? otherwise
            : bool.TryParse(text, out var flag) ? flag : throw new FormatException($"{name} is '{text}'; it should be true or false");
    }

    // Must be fit for the name of a Lease.
    private static string ReplicaName(string machine) => LabelValue.Normalize(machine)?.Replace('_', '-').Replace('.', '-') ?? "replica";
}
