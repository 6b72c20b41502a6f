using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Flotta.Wire;

namespace Flotta.Agent.Hardware;

internal static class NetworkFacts
{
    private const int MaxInterfaces = 64;
    private const int MaxAddresses = 16;
    private static readonly (int Bit, string Name)[] Flags = [(0x1, "up"), (0x2, "broadcast"), (0x8, "loopback"), (0x10, "pointtopoint"), (0x100, "promisc"), (0x1000, "multicast")];

    // Made and removed with every container; they would be news in every heartbeat.
    private static readonly string[] OfContainers = ["veth", "cni", "podman", "docker", "br-", "ifb", "virbr", "tunl", "sit", "dummy"];

    public static IReadOnlyList<Interface> Read(MachineFiles files, Func<string, IReadOnlyList<string>> addresses)
    {
        var names = files.Names("/sys/class/net").Where(name => name != "lo").ToList();
        var real = names.Where(name => IsReal(files, name)).ToList();
        // In a container every interface is virtual, and then that is what there is to know.
        var chosen = real.Count > 0 ? real : names.Where(name => !Array.Exists(OfContainers, prefix => name.StartsWith(prefix, StringComparison.Ordinal))).ToList();
        return [.. chosen.Take(MaxInterfaces).Select(name => Interface(files, name, addresses(name)))];
    }

    /// <summary>In CIDR form. The kernel tells addresses by netlink only, so this asks the runtime.</summary>
    public static IReadOnlyList<string> AddressesOfThisMachine(string name)
    {
        try
        {
            return
            [
                .. NetworkInterface.GetAllNetworkInterfaces()
                    .Where(one => one.Name == name)
                    .SelectMany(one => one.GetIPProperties().UnicastAddresses)
                    .Select(one => $"{WithoutScope(one.Address)}/{one.PrefixLength.ToString(CultureInfo.InvariantCulture)}"),
            ];
        }
        catch (Exception exception) when (exception is NetworkInformationException or IOException or UnauthorizedAccessException or PlatformNotSupportedException)
        {
            return [];
        }
    }

    private static Interface Interface(MachineFiles files, string name, IReadOnlyList<string> addresses)
    {
        var folder = $"/sys/class/net/{name}";
        var useful = addresses.Where(IsUseful).Order(StringComparer.Ordinal).Take(MaxAddresses).ToList();
        return new Interface
        {
            Name = MachineFiles.Cut(name),
            MacAddress = files.Text(folder + "/address"),
            Mtu = files.Number(folder + "/mtu"),
            SpeedMbps = files.Number(folder + "/speed") is > 0 and var speed ? speed : null,
            HasCarrier = files.Text(folder + "/carrier") switch { "1" => true, "0" => false, _ => null },
            Flags = Words(files.Text(folder + "/flags")),
            Vendor = files.Text(folder + "/device/vendor"),
            Product = files.Text(folder + "/device/device"),
            Ipv4Addresses = [.. useful.Where(address => !address.Contains(':', StringComparison.Ordinal))],
            Ipv6Addresses = [.. useful.Where(address => address.Contains(':', StringComparison.Ordinal))],
        };
    }

    private static bool IsReal(MachineFiles files, string name) =>
        files.Link($"/sys/class/net/{name}")?.Contains("/virtual/", StringComparison.Ordinal) == false
        || files.Exists($"/sys/class/net/{name}/bonding")
        || files.Exists($"/proc/net/vlan/{name}");

    private static bool IsUseful(string cidr) => IPAddress.TryParse(cidr.Split('/')[0], out var address) && !address.IsIPv6LinkLocal && !IPAddress.IsLoopback(address);

    private static string WithoutScope(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6 ? new IPAddress(address.GetAddressBytes()).ToString() : address.ToString();

    private static IReadOnlyList<string> Words(string? hex) =>
        int.TryParse(hex?.Replace("0x", "", StringComparison.Ordinal), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var bits)
            ? [.. Flags.Where(flag => (bits & flag.Bit) != 0).Select(flag => flag.Name)]
            : [];
}
