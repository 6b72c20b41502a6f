using System.Net;
using System.Net.Sockets;

namespace Flotta.Agent.Workloads;

/// <summary>Is a port of the host free? Asked before an update stops the old pod.</summary>
internal static class HostPorts
{
    /// <summary>The first port that is taken, or null. <paramref name="held"/> are those that the old pod itself holds.</summary>
    public static HostPort? FirstTaken(IEnumerable<HostPort> wanted, IReadOnlySet<(int Port, bool Udp)> held) =>
        wanted.FirstOrDefault(port => !held.Contains((port.Port, port.Udp)) && IsTaken(port));

    private static bool IsTaken(HostPort port)
    {
        var address = IPAddress.TryParse(port.Address, out var given) ? given : IPAddress.Any;
        try
        {
            using var socket = new Socket(address.AddressFamily, port.Udp ? SocketType.Dgram : SocketType.Stream, port.Udp ? ProtocolType.Udp : ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(address, port.Port));
            if (!port.Udp)
                socket.Listen(1);
            return false;
        }
        catch (SocketException exception)
        {
            // Anything else (no such address, no permission) is podman's to judge.
            return exception.SocketErrorCode == SocketError.AddressAlreadyInUse;
        }
    }
}
