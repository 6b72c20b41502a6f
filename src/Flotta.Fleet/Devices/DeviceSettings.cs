namespace Flotta.Fleet.Devices;

/// <summary>How the devices of a fleet behave.</summary>
internal sealed record DeviceSettings
{
    /// <summary>Where they ask to land.</summary>
    public string Namespace { get; init; } = "default";

    /// <summary>Whether they offer their key with the enrolment, which the original ignores.</summary>
    public bool OffersKey { get; init; } = true;

    /// <summary>Whether they ask with the tag of what they have, which the original's devices do not.</summary>
    public bool UsesTags { get; init; } = true;

    /// <summary>How long the server is asked to hold a request; null: they poll.</summary>
    public TimeSpan? Hold { get; init; } = TimeSpan.FromSeconds(240);

    /// <summary>Between two polls, and between two looks at control/in of those who poll.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Between two looks at control/in of those whose requests are held.</summary>
    public TimeSpan ControlInterval { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Between two heartbeats; null: as the configuration says.</summary>
    public TimeSpan? Period { get; init; }

    /// <summary>A workload that arrives runs after a random time up to this.</summary>
    public TimeSpan LongestStart { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often, on average, a workload of a device fails and recovers; null: never.</summary>
    public TimeSpan? TroubleEvery { get; init; }

    /// <summary>How often a device asks for the next certificate; null: at two thirds of the life of the present one.</summary>
    public TimeSpan? RenewEvery { get; init; }
}
