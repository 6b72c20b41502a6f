using Flotta.Wire;

namespace Flotta.Agent.Hardware;

internal static class DiskFacts
{
    private const int MaxDisks = 64;
    private const int MaxGpus = 16;
    private const int SectorBytes = 512;

    /// <summary>Block devices with a device behind them: no loops, no RAM disks, no mappings.</summary>
    public static IReadOnlyList<Disk> Read(MachineFiles files)
    {
        var byId = Links(files, "/dev/disk/by-id");
        var byPath = Links(files, "/dev/disk/by-path");
        return [.. files.Names("/sys/block").Where(name => files.Exists($"/sys/block/{name}/device")).Select(name => Disk(files, name, byId, byPath)).OfType<Disk>().Take(MaxDisks)];
    }

    public static IReadOnlyList<Gpu> Gpus(MachineFiles files) =>
    [
        .. files.Names("/sys/class/drm").Where(name => IsCard(name)).Take(MaxGpus).Select(name => new Gpu
        {
            Address = Path.GetFileName(files.Link($"/sys/class/drm/{name}/device")),
            VendorId = files.Text($"/sys/class/drm/{name}/device/vendor"),
            DeviceId = files.Text($"/sys/class/drm/{name}/device/device"),
        }),
    ];

    private static Disk? Disk(MachineFiles files, string name, IReadOnlyDictionary<string, string> byId, IReadOnlyDictionary<string, string> byPath)
    {
        var folder = $"/sys/block/{name}";
        if (files.Number(folder + "/size") is not (> 0 and var sectors))
            return null;
        var address = Path.GetFileName(files.Link(folder + "/device"));
        return new Disk
        {
            Name = name,
            Path = "/dev/" + name,
            SizeBytes = sectors * SectorBytes,
            DriveType = files.Text(folder + "/queue/rotational") switch { "0" => "SSD", "1" => "HDD", _ => null },
            Model = files.Text(folder + "/device/model"),
            Vendor = files.Text(folder + "/device/vendor"),
            Serial = files.Text(folder + "/device/serial") ?? files.Text(folder + "/serial"),
            Wwn = files.Text(folder + "/device/wwid") ?? files.Text(folder + "/wwid"),
            Hctl = IsScsi(address) ? address : null,
            ById = byId.GetValueOrDefault(name),
            ByPath = byPath.GetValueOrDefault(name),
        };
    }

    /// <summary>The first link to each device.</summary>
    private static Dictionary<string, string> Links(MachineFiles files, string folder)
    {
        var links = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var link in files.Names(folder))
        {
            if (files.Link($"{folder}/{link}") is { } target)
                links.TryAdd(Path.GetFileName(target), MachineFiles.Cut($"{folder}/{link}"));
        }
        return links;
    }

    /// <summary>A card itself, <c>card0</c>, and none of its connectors, <c>card0-HDMI-A-1</c>.</summary>
    private static bool IsCard(string name) => name.StartsWith("card", StringComparison.Ordinal) && IsNumber(name["card".Length..]);

    /// <summary>Host, channel, target and logical unit: <c>2:0:0:1</c>.</summary>
    private static bool IsScsi(string? address) => address?.Split(':') is { Length: 4 } parts && Array.TrueForAll(parts, IsNumber);

    private static bool IsNumber(string text) => text.Length > 0 && text.All(char.IsAsciiDigit);
}
