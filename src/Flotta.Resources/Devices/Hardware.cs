using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace Flotta.Resources;

/// <summary>What a device says about its hardware. Lists that the schema requires are never null: agents leave them out, or send null.</summary>
[Description("Facts about the hardware, as the device reports them.")]
public sealed record Hardware
{
    [JsonPropertyName("boot")]
    public Boot? Boot { get; init; }

    [JsonPropertyName("cpu")]
    public Cpu? Cpu { get; init; }

    [JsonPropertyName("disks"), Required]
    public IReadOnlyList<Disk> Disks { get; init => field = value ?? []; } = [];

    [JsonPropertyName("gpus"), Required]
    public IReadOnlyList<Gpu> Gpus { get; init => field = value ?? []; } = [];

    [JsonPropertyName("hostDevices")]
    public IReadOnlyList<HostDevice>? HostDevices { get; init; }

    [JsonPropertyName("hostname")]
    public string? Hostname { get; init; }

    [JsonPropertyName("interfaces"), Required]
    public IReadOnlyList<NetworkInterface> Interfaces { get; init => field = value ?? []; } = [];

    [JsonPropertyName("memory")]
    public Memory? Memory { get; init; }

    [JsonPropertyName("mounts")]
    public IReadOnlyList<Mount>? Mounts { get; init; }

    [JsonPropertyName("systemVendor")]
    public SystemVendor? SystemVendor { get; init; }
}

public sealed record Boot
{
    [JsonPropertyName("currentBootMode")]
    public string? CurrentBootMode { get; init; }

    [JsonPropertyName("pxeInterface")]
    public string? PxeInterface { get; init; }
}

public sealed record Cpu
{
    [JsonPropertyName("architecture")]
    public string? Architecture { get; init; }

    [JsonPropertyName("count")]
    public long? Count { get; init; }

    [JsonPropertyName("flags"), Required]
    public IReadOnlyList<string> Flags { get; init => field = value ?? []; } = [];

    [JsonPropertyName("frequency"), Description("MHz with two decimals.")]
    public string? Frequency { get; init; }

    [JsonPropertyName("modelName")]
    public string? ModelName { get; init; }
}

public sealed record Disk
{
    [JsonPropertyName("bootable")]
    public bool? Bootable { get; init; }

    [JsonPropertyName("byId")]
    public string? ById { get; init; }

    [JsonPropertyName("byPath")]
    public string? ByPath { get; init; }

    [JsonPropertyName("driveType")]
    public string? DriveType { get; init; }

    [JsonPropertyName("hctl")]
    public string? Hctl { get; init; }

    [JsonPropertyName("id")]
    public string? Id { get; init; }

    [JsonPropertyName("ioPerf")]
    public IoPerformance? IoPerf { get; init; }

    [JsonPropertyName("isInstallationMedia")]
    public bool? IsInstallationMedia { get; init; }

    [JsonPropertyName("model")]
    public string? Model { get; init; }

    [JsonPropertyName("name")]
    public string? Name { get; init; }

    [JsonPropertyName("path")]
    public string? Path { get; init; }

    [JsonPropertyName("serial")]
    public string? Serial { get; init; }

    [JsonPropertyName("sizeBytes")]
    public long? SizeBytes { get; init; }

    [JsonPropertyName("smart")]
    public string? Smart { get; init; }

    [JsonPropertyName("vendor")]
    public string? Vendor { get; init; }

    [JsonPropertyName("wwn")]
    public string? Wwn { get; init; }
}

public sealed record IoPerformance
{
    [JsonPropertyName("syncDuration"), Description("99th percentile of fsync in milliseconds.")]
    public long? SyncDuration { get; init; }
}

public sealed record Gpu
{
    [JsonPropertyName("address")]
    public string? Address { get; init; }

    [JsonPropertyName("deviceId")]
    public string? DeviceId { get; init; }

    [JsonPropertyName("name")]
    public string? Name { get; init; }

    [JsonPropertyName("vendor")]
    public string? Vendor { get; init; }

    [JsonPropertyName("vendorId")]
    public string? VendorId { get; init; }
}

public sealed record HostDevice
{
    [JsonPropertyName("path")]
    public string? Path { get; init; }

    [JsonPropertyName("deviceType")]
    public string? DeviceType { get; init; }

    [JsonPropertyName("owner")]
    public int? Owner { get; init; }

    [JsonPropertyName("group")]
    public int? Group { get; init; }

    [JsonPropertyName("major")]
    public int? Major { get; init; }

    [JsonPropertyName("minor")]
    public int? Minor { get; init; }
}

public sealed record NetworkInterface
{
    [JsonPropertyName("biosdevname")]
    public string? BiosDevName { get; init; }

    [JsonPropertyName("clientId")]
    public string? ClientId { get; init; }

    [JsonPropertyName("flags"), Required]
    public IReadOnlyList<string> Flags { get; init => field = value ?? []; } = [];

    [JsonPropertyName("hasCarrier")]
    public bool? HasCarrier { get; init; }

    [JsonPropertyName("ipv4Addresses")]
    public IReadOnlyList<string>? Ipv4Addresses { get; init; }

    [JsonPropertyName("ipv6Addresses")]
    public IReadOnlyList<string>? Ipv6Addresses { get; init; }

    [JsonPropertyName("macAddress")]
    public string? MacAddress { get; init; }

    [JsonPropertyName("mtu")]
    public long? Mtu { get; init; }

    [JsonPropertyName("name")]
    public string? Name { get; init; }

    [JsonPropertyName("product")]
    public string? Product { get; init; }

    [JsonPropertyName("speedMbps")]
    public long? SpeedMbps { get; init; }

    [JsonPropertyName("vendor")]
    public string? Vendor { get; init; }
}

public sealed record Memory
{
    [JsonPropertyName("physicalBytes")]
    public long? PhysicalBytes { get; init; }

    [JsonPropertyName("usableBytes")]
    public long? UsableBytes { get; init; }
}

public sealed record SystemVendor
{
    [JsonPropertyName("manufacturer")]
    public string? Manufacturer { get; init; }

    [JsonPropertyName("productName")]
    public string? ProductName { get; init; }

    [JsonPropertyName("serialNumber")]
    public string? SerialNumber { get; init; }

    [JsonPropertyName("virtual"), Description("Whether this is a virtual machine.")]
    public bool? Virtual { get; init; }
}
