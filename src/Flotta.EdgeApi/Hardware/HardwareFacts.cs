using System.Globalization;
using Flotta.Resources;

namespace Flotta.EdgeApi.Hardware;

/// <summary>
/// Facts as a device sends them → as the API keeps them. A fact that is too long is cut, a list that is too long ends early: one bad fact never costs the others.
/// </summary>
internal static class HardwareFacts
{
    private const int LongestText = 1024;
    private const int LongestList = 1024;

    /// <summary>What was known, with what the device says now. A list that it does not send says nothing; an empty one says that there are none.</summary>
    public static Resources.Hardware Merge(Resources.Hardware? known, Wire.HardwareInfo said)
    {
        known ??= new Resources.Hardware();
        return known with
        {
            Boot = said.Boot is { } boot ? new Boot { CurrentBootMode = Cut(boot.CurrentBootMode) ?? known.Boot?.CurrentBootMode, PxeInterface = Cut(boot.PxeInterface) ?? known.Boot?.PxeInterface } : known.Boot,
            Cpu = said.Cpu is { } cpu ? Merge(known.Cpu, cpu) : known.Cpu,
            Disks = List(said.Disks, Disk) ?? known.Disks,
            Gpus = List(said.Gpus, Gpu) ?? known.Gpus,
            HostDevices = List(said.HostDevices, HostDevice) ?? known.HostDevices,
            Hostname = Cut(said.Hostname) ?? known.Hostname,
            Interfaces = List(said.Interfaces, Interface) ?? known.Interfaces,
            Memory = said.Memory is { } memory ? new Memory { PhysicalBytes = memory.PhysicalBytes ?? known.Memory?.PhysicalBytes, UsableBytes = memory.UsableBytes ?? known.Memory?.UsableBytes } : known.Memory,
            Mounts = List(said.Mounts, Mount) ?? known.Mounts,
            SystemVendor = said.SystemVendor is { } vendor ? Merge(known.SystemVendor, vendor) : known.SystemVendor,
        };
    }

    /// <summary>Equal for equal facts.</summary>
    public static string Digest(Resources.Hardware hardware) =>
        Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(Flotta.Kube.KubeJson.Serialize(hardware))).AsSpan(0, 16));

    /// <summary>A device without its facts, which are most of its bytes and are asked for only when they change.</summary>
    public static Resources.EdgeDevice Fold(Resources.EdgeDevice device) => device.Status is { Hardware: { } hardware } status
        ? device with { Status = status with { Hardware = null, HardwareDigest = Digest(hardware) } }
        : device;

    /// <summary>The labels that follow from the facts. A fact that makes no label value makes no label.</summary>
    public static IEnumerable<KeyValuePair<string, string?>> Labels(Resources.Hardware hardware)
    {
        (string Key, string? Fact)[] facts =
        [
            (Names.Labels.Hostname, hardware.Hostname),
            (Names.Labels.CpuArchitecture, hardware.Cpu?.Architecture),
            (Names.Labels.CpuModel, hardware.Cpu?.ModelName),
            (Names.Labels.SystemManufacturer, hardware.SystemVendor?.Manufacturer),
            (Names.Labels.SystemProduct, hardware.SystemVendor?.ProductName),
            (Names.Labels.SystemSerial, hardware.SystemVendor?.SerialNumber),
        ];
        return facts
            .Select(fact => KeyValuePair.Create(fact.Key, LabelValue.Normalize(fact.Fact)))
            .Where(label => label.Value != null);
    }

    private static Cpu Merge(Cpu? known, Wire.Cpu said) => new()
    {
        Architecture = Cut(said.Architecture) ?? known?.Architecture,
        Count = said.Count ?? known?.Count,
        Flags = Texts(said.Flags) ?? known?.Flags ?? [],
        Frequency = said.Frequency is { } frequency ? Cut(frequency.ToString("F2", CultureInfo.InvariantCulture)) : known?.Frequency,
        ModelName = Cut(said.ModelName) ?? known?.ModelName,
    };

    private static SystemVendor Merge(SystemVendor? known, Wire.SystemVendor said) => new()
    {
        Manufacturer = Cut(said.Manufacturer) ?? known?.Manufacturer,
        ProductName = Cut(said.ProductName) ?? known?.ProductName,
        SerialNumber = Cut(said.SerialNumber) ?? known?.SerialNumber,
        Virtual = said.Virtual ?? known?.Virtual,
    };

    private static Disk Disk(Wire.Disk disk) => new()
    {
        Bootable = disk.Bootable,
        ById = Cut(disk.ById),
        ByPath = Cut(disk.ByPath),
        DriveType = Cut(disk.DriveType),
        Hctl = Cut(disk.Hctl),
        Id = Cut(disk.Id),
        IoPerf = disk.IoPerf == null ? null : new IoPerformance { SyncDuration = disk.IoPerf.SyncDuration },
        IsInstallationMedia = disk.IsInstallationMedia,
        Model = Cut(disk.Model),
        Name = Cut(disk.Name),
        Path = Cut(disk.Path),
        Serial = Cut(disk.Serial),
        SizeBytes = disk.SizeBytes,
        Smart = Cut(disk.Smart),
        Vendor = Cut(disk.Vendor),
        Wwn = Cut(disk.Wwn),
    };

    private static Gpu Gpu(Wire.Gpu gpu) => new()
    {
        Address = Cut(gpu.Address),
        DeviceId = Cut(gpu.DeviceId),
        Name = Cut(gpu.Name),
        Vendor = Cut(gpu.Vendor),
        VendorId = Cut(gpu.VendorId),
    };

    private static HostDevice HostDevice(Wire.HostDevice device) => new()
    {
        Path = Cut(device.Path),
        DeviceType = Cut(device.DeviceType),
        Owner = Low(device.Uid),
        Group = Low(device.Gid),
        Major = Low(device.Major),
        Minor = Low(device.Minor),
    };

    private static NetworkInterface Interface(Wire.Interface @interface) => new()
    {
        BiosDevName = Cut(@interface.Biosdevname),
        ClientId = Cut(@interface.ClientId),
        Flags = Texts(@interface.Flags) ?? [],
        HasCarrier = @interface.HasCarrier,
        Ipv4Addresses = Texts(@interface.Ipv4Addresses),
        Ipv6Addresses = Texts(@interface.Ipv6Addresses),
        MacAddress = Cut(@interface.MacAddress),
        Mtu = @interface.Mtu,
        Name = Cut(@interface.Name),
        Product = Cut(@interface.Product),
        SpeedMbps = @interface.SpeedMbps,
        Vendor = Cut(@interface.Vendor),
    };

    private static Mount Mount(Wire.Mount mount) => new()
    {
        Device = Cut(mount.Device),
        Folder = Cut(mount.Directory),
        Type = Cut(mount.Type),
        Options = Cut(mount.Options),
    };

    private static List<TTo>? List<TFrom, TTo>(IReadOnlyList<TFrom>? from, Func<TFrom, TTo> map) => from?.Take(LongestList).Select(map).ToList();

    // An empty one says nothing, and the definition has no place for it.
    private static List<string>? Texts(IReadOnlyList<string>? from) => from?.Select(Cut).OfType<string>().Take(LongestList).ToList();

    // The field is a 32-bit integer; larger numbers lose their upper half, as in the original.
    private static int? Low(long? number) => number is { } wide ? unchecked((int)wide) : null;

    private static string? Cut(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        if (text.Length <= LongestText)
            return text;
        // Not through the middle of a character.
        return char.IsHighSurrogate(text[LongestText - 1]) ? text[..(LongestText - 1)] : text[..LongestText];
    }
}
