using Flotta.Fleet.Devices;
using Flotta.Yggdrasil.Credentials;

namespace Flotta.Fleet.Scenarios;

/// <summary>What a run is to do; checked whole before anything starts.</summary>
internal sealed record FleetOptions
{
    public required string Scenario { get; init; }

    public required string Server { get; init; }

    public required Roots Roots { get; init; }

    public required Identity Bootstrap { get; init; }

    public string PathPrefix { get; init; } = "api/flotta-management/v1";

    public int Devices { get; init; } = 100;

    /// <summary>Devices are called PREFIX-00001 and so on.</summary>
    public string Prefix { get; init; } = "fleet";

    public DeviceSettings Settings { get; init; } = new();

    public Version Http { get; init; } = System.Net.HttpVersion.Version20;

    /// <summary>Devices are switched on over this time, at random.</summary>
    public TimeSpan Ramp { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long every device together may need to be served.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long one request may take.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan Duration { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>At the end of the run, when nothing fails any more.</summary>
    public TimeSpan Calm { get; init; }

    public TimeSpan Every { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan Down { get; init; } = TimeSpan.FromSeconds(1);

    public int Rounds { get; init; } = 3;

    public LoadRequest Request { get; init; }

    public double? Rate { get; init; }

    public int AtOnce { get; init; } = 64;

    public string? StateFolder { get; init; }

    public string? Kubeconfig { get; init; }

    public string? ReportFile { get; init; }

    public int? ServerProcess { get; init; }

    // Holds a key: prints as what it does.
    public override string ToString() => $"{Scenario} with {Devices} devices against {Server}";
}
