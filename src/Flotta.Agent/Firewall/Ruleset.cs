using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Flotta.Agent.Firewall;

/// <summary>A port that a workload publishes.</summary>
internal sealed record OpenPort(string Workload, int Port, bool Udp);

/// <summary>The device's table of nftables as text for <c>nft -f</c>: replaced whole, in one transaction, so there is no moment without it.</summary>
internal static class Ruleset
{
    /// <summary>One for each device name: two agents on one machine do not take each other's rules away.</summary>
    public static string TableOf(string deviceId) => "flotta_" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(deviceId)))[..12];

    public static string Of(string table, IReadOnlyList<OpenPort> ports)
    {
        var text = new StringBuilder();
        // Adding what is there is no error, and deleting what is not there would be one.
        text.Append(CultureInfo.InvariantCulture, $"add table inet {table}\ndelete table inet {table}\n");
        if (ports.Count == 0)
            return text.ToString();
        text.Append(CultureInfo.InvariantCulture, $"table inet {table} {{\n");
        var workloads = ports.GroupBy(port => port.Workload, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal).ToList();
        foreach (var workload in workloads)
        {
            text.Append(CultureInfo.InvariantCulture, $"  chain wl-{workload.Key} {{\n");
            foreach (var port in workload.OrderBy(port => port.Port).ThenBy(port => port.Udp))
            {
                var protocol = port.Udp ? "udp" : "tcp";
                text.Append(CultureInfo.InvariantCulture, $"    {protocol} dport {port.Port} ct state new,established counter accept\n");
            }

            text.Append("  }\n");
        }

        text.Append("  chain input {\n    type filter hook input priority 0; policy accept;\n");
        foreach (var workload in workloads)
            text.Append(CultureInfo.InvariantCulture, $"    jump wl-{workload.Key}\n");
        return text.Append("  }\n}\n").ToString();
    }
}
