using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Flotta.Yggdrasil.Grpc;

/// <summary>Who is at the other end of a unix socket: an abstract one has no permissions, so this is the only lock on that door.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly partial record struct PeerCredentials(int Pid, uint Uid)
{
    private const int SolSocket = 1;
    private const int PeerCred = 17;

    /// <summary>Root, or whoever we are ourselves.</summary>
    public bool IsTrusted => Uid == 0 || Uid == EffectiveUser();

    public static PeerCredentials Of(Socket socket)
    {
        Span<int> credentials = stackalloc int[3];
        var read = socket.GetRawSocketOption(SolSocket, PeerCred, MemoryMarshal.AsBytes(credentials));
        return read == 12 ? new PeerCredentials(credentials[0], (uint)credentials[1]) : new PeerCredentials(0, uint.MaxValue);
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial uint EffectiveUser();
}
