namespace Flotta.Wire;

/// <summary>Facts of a device. A null list says nothing; an empty one says that there are none.</summary>
public sealed record HardwareInfo
{
    public string? Hostname { get; init; }

    public Boot? Boot { get; init; }

    public Cpu? Cpu { get; init; }

    public IReadOnlyList<Disk>? Disks { get; init; }

    public IReadOnlyList<Gpu>? Gpus { get; init; }

    public IReadOnlyList<HostDevice>? HostDevices { get; init; }

    public IReadOnlyList<Interface>? Interfaces { get; init; }

    public MemoryInfo? Memory { get; init; }

    public IReadOnlyList<Mount>? Mounts { get; init; }

    public SystemVendor? SystemVendor { get; init; }
}

public sealed record Boot
{
    public string? CurrentBootMode { get; init; }

    public string? PxeInterface { get; init; }
}

public sealed record Cpu
{
    public string? Architecture { get; init; }

    public long? Count { get; init; }

    public IReadOnlyList<string>? Flags { get; init; }

    /// <summary>MHz.</summary>
    public double? Frequency { get; init; }

    public string? ModelName { get; init; }
}

public sealed record Disk
{
    public string? Name { get; init; }

    public string? Id { get; init; }

    public string? ById { get; init; }

    public string? ByPath { get; init; }

    public string? DriveType { get; init; }

    public string? Hctl { get; init; }

    public IoPerf? IoPerf { get; init; }

    public bool? IsInstallationMedia { get; init; }

    public bool? Bootable { get; init; }

    public string? Model { get; init; }

    public string? Path { get; init; }

    public string? Serial { get; init; }

    public long? SizeBytes { get; init; }

    public string? Smart { get; init; }

    public string? Vendor { get; init; }

    public string? Wwn { get; init; }
}

/// <param name="SyncDuration">99th percentile of fsync, in milliseconds.</param>
public sealed record IoPerf(long? SyncDuration);

public sealed record Gpu
{
    public string? Address { get; init; }

    public string? DeviceId { get; init; }

    public string? Name { get; init; }

    public string? Vendor { get; init; }

    public string? VendorId { get; init; }
}

public sealed record HostDevice
{
    public string? Path { get; init; }

    /// <summary><c>b</c> or <c>c</c>.</summary>
    public string? DeviceType { get; init; }

    public long? Uid { get; init; }

    public long? Gid { get; init; }

    public long? Major { get; init; }

    public long? Minor { get; init; }
}

public sealed record Interface
{
    public string? Name { get; init; }

    public string? Biosdevname { get; init; }

    public string? ClientId { get; init; }

    public IReadOnlyList<string>? Flags { get; init; }

    public bool? HasCarrier { get; init; }

    public IReadOnlyList<string>? Ipv4Addresses { get; init; }

    public IReadOnlyList<string>? Ipv6Addresses { get; init; }

    public string? MacAddress { get; init; }

    public long? Mtu { get; init; }

    public string? Product { get; init; }

    public long? SpeedMbps { get; init; }

    public string? Vendor { get; init; }
}

public sealed record MemoryInfo(long? PhysicalBytes, long? UsableBytes);

/// <summary>A mount as a fact (hardware) and as a wish (configuration): the same four words.</summary>
public sealed record Mount
{
    public string? Device { get; init; }

    public string? Directory { get; init; }

    public string? Type { get; init; }

    public string? Options { get; init; }
}

public sealed record SystemVendor
{
    public string? Manufacturer { get; init; }

    public string? ProductName { get; init; }

    public string? SerialNumber { get; init; }

    public bool? Virtual { get; init; }
}
