using System.Net.NetworkInformation;
using System.Net.Sockets;
using Flotta.Wire;

namespace Flotta.Yggdrasil.Facts;

/// <summary>The facts by which yggdrasil's servers tell machines apart. What cannot be read is left out.</summary>
internal static class CanonicalFactsReader
{
    public static CanonicalFacts Read(string commonName)
    {
        var interfaces = Interfaces();
        return new CanonicalFacts
        {
            InsightsId = Line("/etc/insights-client/machine-id"),
            MachineId = Dashed(Line("/etc/machine-id")),
            BiosUuid = Line("/sys/devices/virtual/dmi/id/product_uuid"),
            SubscriptionManagerId = commonName,
            IpAddresses = [.. interfaces.SelectMany(Addresses)],
            Fqdn = Environment.MachineName,
            MacAddresses = [.. interfaces.Select(Mac)],
        };
    }

    private static NetworkInterface[] Interfaces()
    {
        try
        {
            return [.. NetworkInterface.GetAllNetworkInterfaces().OrderBy(one => one.Name, StringComparer.Ordinal)];
        }
        catch (NetworkInformationException)
        {
            return [];
        }
    }

    private static IEnumerable<string> Addresses(NetworkInterface one) =>
        one.NetworkInterfaceType == NetworkInterfaceType.Loopback
            ? []
            : one.GetIPProperties().UnicastAddresses
                .Select(unicast => unicast.Address)
                .Where(address => address.AddressFamily == AddressFamily.InterNetwork)
                .Select(address => address.ToString());

    private static string Mac(NetworkInterface one)
    {
        var bytes = one.GetPhysicalAddress().GetAddressBytes();
        return bytes.Length == 0 ? "00:00:00:00:00:00" : Convert.ToHexStringLower(bytes).Chunk(2).Select(pair => new string(pair)).Aggregate((a, b) => $"{a}:{b}");
    }

    private static string? Dashed(string? id) => Guid.TryParse(id, out var guid) ? guid.ToString() : id;

    private static string? Line(string path)
    {
        try
        {
            return File.ReadLines(path).FirstOrDefault()?.Trim() is { Length: > 0 } line ? line : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
