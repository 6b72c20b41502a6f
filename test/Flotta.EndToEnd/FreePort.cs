using System.Net;
using System.Net.Sockets;

namespace Flotta.EndToEnd;

/// <summary>A port for somebody who listens later. Below those that the system gives to connections (32768 and up), or one of them could have it by then; each is given once.</summary>
internal static class FreePort
{
    private const int Lowest = 20_000;
    private const int Count = 12_000;
    private static int _last = Random.Shared.Next(Count);

    public static int Next()
    {
        while (true)
        {
            var port = Lowest + (int)((uint)Interlocked.Increment(ref _last) % Count);
            try
            {
                using var listener = new TcpListener(IPAddress.Any, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody has it.
            }
        }
    }
}
